-- Whether a client registered itself (authority/client_directory.py).

CREATE FUNCTION directory_registration_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM directory_tell_client(OLD.client_id);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        PERFORM directory_tell_client(NEW.client_id);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER directory_registration AFTER INSERT OR UPDATE OF client_id OR DELETE ON clients_selfregistration
    FOR EACH ROW EXECUTE FUNCTION directory_registration_changed();
CREATE TRIGGER directory_emptied AFTER TRUNCATE ON clients_selfregistration
    EXECUTE FUNCTION directory_tell_subject('catalogue');
