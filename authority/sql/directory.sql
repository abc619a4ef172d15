-- Notifies the channel “directory” of whatever changes what a process may keep in memory (core/cache.py,
-- authority/client_directory.py).
--
-- Clients and consumers are named by bucket, not one by one: PostgreSQL sends equal notifications of a transaction once,
-- so that a statement about a million clients sends 256 messages. Uses of a secret are written all the time and notify
-- nobody.

CREATE FUNCTION directory_tell_client(id bigint) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_notify('directory', 'client ' || id % 256) WHERE id IS NOT NULL $$;

CREATE FUNCTION directory_tell_consumer(id uuid) RETURNS void LANGUAGE sql AS
    $$ SELECT pg_notify('directory', 'consumer ' || left(id::text, 2)) WHERE id IS NOT NULL $$;

CREATE FUNCTION directory_tell_subject() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('directory', TG_ARGV[0]);
    RETURN NULL;
END $$;

CREATE FUNCTION directory_client_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    quiet record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        quiet := NEW;
        quiet.last_used_at := OLD.last_used_at;
        IF quiet *= OLD THEN
            RETURN NULL;
        END IF;
        PERFORM directory_tell_client(NEW.id);
    END IF;
    PERFORM directory_tell_client(OLD.id);
    RETURN NULL;
END $$;

CREATE FUNCTION directory_secret_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    quiet record;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        quiet := NEW;
        quiet.last_used_at := OLD.last_used_at;
        quiet.last_used_ip := OLD.last_used_ip;
        IF quiet *= OLD THEN
            RETURN NULL;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM directory_tell_client(OLD.client_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM directory_tell_client(NEW.client_id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION directory_consumer_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM directory_tell_consumer(OLD.id);
    RETURN NULL;
END $$;

CREATE FUNCTION directory_access_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM directory_tell_consumer(OLD.consumer_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM directory_tell_consumer(NEW.consumer_id);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER directory_client AFTER UPDATE OR DELETE ON clients_client
    FOR EACH ROW EXECUTE FUNCTION directory_client_changed();
CREATE TRIGGER directory_secret AFTER INSERT OR UPDATE OR DELETE ON clients_clientsecret
    FOR EACH ROW EXECUTE FUNCTION directory_secret_changed();
CREATE TRIGGER directory_consumer AFTER UPDATE OR DELETE ON consumers_consumer
    FOR EACH ROW EXECUTE FUNCTION directory_consumer_changed();
CREATE TRIGGER directory_access AFTER INSERT OR UPDATE OR DELETE ON clients_access
    FOR EACH ROW EXECUTE FUNCTION directory_access_changed();

CREATE TRIGGER directory_emptied AFTER TRUNCATE ON clients_client
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_emptied AFTER TRUNCATE ON clients_clientsecret
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_emptied AFTER TRUNCATE ON consumers_consumer
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_emptied AFTER TRUNCATE ON clients_access
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_api
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_api_resource_servers
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_scope
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON authority_signingkey
    EXECUTE FUNCTION directory_tell_subject('keys');
