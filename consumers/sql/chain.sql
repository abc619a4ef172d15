-- Every event waits for its place in the chain, from its own transaction on; an erased one waits again.
CREATE FUNCTION await_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The row is locked where it exists: a worker that seals the event as it was deletes it first, and it is made again.
    INSERT INTO consumers_unsealedevent AS waiting (event_id) VALUES (NEW.id)
    ON CONFLICT (event_id) DO UPDATE SET event_id = waiting.event_id;
    RETURN NULL;
END $$;

CREATE TRIGGER event_awaits_seal AFTER INSERT OR UPDATE ON consumers_event
    FOR EACH ROW EXECUTE FUNCTION await_seal();

INSERT INTO consumers_unsealedevent (event_id) SELECT id FROM consumers_event;

-- The record and its chain are append-only, whatever code runs. Two changes pass: a person is erased from an event, by
-- an erasure of this hour, and an event is deleted for which a signed head stands, 90 days after it happened or later.
CREATE OR REPLACE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.salt <> OLD.salt
            AND (NEW.id, NEW.at, NEW.name, NEW.actor_kind, NEW.actor_id, NEW.consumer_id, NEW.target_kind,
                 NEW.target_id, NEW.request_id) IS NOT DISTINCT FROM
                (OLD.id, OLD.at, OLD.name, OLD.actor_kind, OLD.actor_id, OLD.consumer_id, OLD.target_kind,
                 OLD.target_id, OLD.request_id)
            AND EXISTS (SELECT FROM consumers_event erasure WHERE erasure.id = NEW.erased_by
                AND erasure.name = 'person.erased' AND erasure.at > now() - interval '1 hour')
        THEN
            RETURN NEW;
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        IF OLD.at < now() - interval '90 days'
            AND NOT EXISTS (SELECT FROM consumers_unsealedevent WHERE event_id = OLD.id)
            AND (SELECT max(position) FROM consumers_eventseal WHERE event_id = OLD.id)
                <= (SELECT max(position) FROM consumers_signedhead WHERE kind = 'expiry')
        THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'events are append-only';
END $$;

CREATE FUNCTION refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.position <= (SELECT max(position) FROM consumers_signedhead WHERE kind = 'expiry')
            AND (NOT EXISTS (SELECT FROM consumers_event WHERE id = OLD.event_id)
                OR EXISTS (SELECT FROM consumers_eventseal later
                    WHERE later.event_id = OLD.event_id AND later.position > OLD.position))
        THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'seals of events are append-only';
END $$;

CREATE TRIGGER event_seal_append_only BEFORE UPDATE OR DELETE ON consumers_eventseal
    FOR EACH ROW EXECUTE FUNCTION refuse_seal_change();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$;

CREATE TRIGGER signed_head_append_only BEFORE UPDATE OR DELETE ON consumers_signedhead
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TRIGGER event_no_truncate BEFORE TRUNCATE ON consumers_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER event_seal_no_truncate BEFORE TRUNCATE ON consumers_eventseal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER signed_head_no_truncate BEFORE TRUNCATE ON consumers_signedhead
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The two doors, which run as the owner of the tables: the role of the application may insert and read only.
CREATE FUNCTION erase_from_events(erasure bigint, rows jsonb) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    changed integer;
BEGIN
    UPDATE consumers_event event
    SET actor_label = said.actor_label, target_label = said.target_label, detail = said.detail, ip = said.ip,
        user_agent = said.user_agent, salt = gen_random_uuid(), erased_by = erasure
    FROM jsonb_to_recordset(rows)
        AS said (id bigint, actor_label text, target_label text, detail jsonb, ip inet, user_agent text)
    WHERE event.id = said.id;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

CREATE FUNCTION delete_expired_events(through bigint, batch integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    positions bigint[];
BEGIN
    SELECT array_agg(position) INTO positions FROM (
        SELECT position FROM consumers_eventseal WHERE position <= through ORDER BY position LIMIT batch) oldest;
    DELETE FROM consumers_event event USING consumers_eventseal seal
    WHERE seal.position = ANY (positions) AND event.id = seal.event_id AND NOT EXISTS (
        SELECT FROM consumers_eventseal later WHERE later.event_id = seal.event_id AND later.position > seal.position);
    DELETE FROM consumers_eventseal WHERE position = ANY (positions);
    RETURN coalesce(cardinality(positions), 0);
END $$;

REVOKE ALL ON FUNCTION erase_from_events, delete_expired_events FROM PUBLIC;

-- What runs as the owner looks its tables up where the owner has made them, and nowhere else.
DO $$
BEGIN
    EXECUTE format('ALTER FUNCTION erase_from_events SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION delete_expired_events SET search_path = %I, pg_temp', current_schema());
END $$;
