-- A subject has up to 255 characters (OpenID Connect Core section 2), and allauth's column takes 191.
ALTER TABLE socialaccount_socialaccount ALTER COLUMN uid TYPE varchar(255);
