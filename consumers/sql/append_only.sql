-- The audit record is append-only, whatever code runs.
CREATE FUNCTION refuse_event_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;

CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON consumers_event
    FOR EACH ROW EXECUTE FUNCTION refuse_event_change();
