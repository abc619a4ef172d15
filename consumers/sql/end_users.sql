-- Whoever becomes a member of a workspace, or an operator, is no end user any more, whatever code makes them one.
CREATE FUNCTION member_is_no_end_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE consumers_user SET is_end_user = false WHERE id = NEW.user_id AND is_end_user;
    RETURN NULL;
END $$;

CREATE TRIGGER member_is_no_end_user AFTER INSERT OR UPDATE OF user_id ON consumers_membership
    FOR EACH ROW EXECUTE FUNCTION member_is_no_end_user();

CREATE FUNCTION operator_is_no_end_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.is_end_user := false;
    RETURN NEW;
END $$;

CREATE TRIGGER operator_is_no_end_user BEFORE INSERT OR UPDATE ON consumers_user
    FOR EACH ROW WHEN (NEW.is_end_user AND (NEW.is_staff OR NEW.is_superuser))
    EXECUTE FUNCTION operator_is_no_end_user();
