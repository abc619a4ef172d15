-- The sweep of expired codes goes by this; the table is the toolkit's.
CREATE INDEX IF NOT EXISTS grant_expires ON oauth2_provider_grant (expires);
