-- What tokens for an API carry besides (authority/client_directory.py). A person's roles notify nobody: each token and
-- each introspection reads them.

CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_apirole
    EXECUTE FUNCTION directory_tell_subject('catalogue');
CREATE TRIGGER directory_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients_apiclaim
    EXECUTE FUNCTION directory_tell_subject('catalogue');
