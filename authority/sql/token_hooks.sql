-- Who is asked for claims of an API's tokens (authority/client_directory.py).

CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_tokenhook
    EXECUTE FUNCTION directory_tell_subject('catalogue');
