-- Everything that a crowd has left behind has ended, and so has %(rows)s of what leaves the most rows.

UPDATE authority_tokenfamily SET retain_until = now() - interval '1 day';
UPDATE authority_signin SET created_at = now() - interval '60 days';
UPDATE authority_opaquetoken SET expires_at = now() - interval '1 day';
UPDATE authority_revokedtoken SET expires_at = now() - interval '1 day';

INSERT INTO authority_dailycount (client_id, day, issued, refused)
SELECT 1001 + n %% 10000, CURRENT_DATE - 500 - n / 10000, 1, 0
FROM generate_series(0, %(rows)s - 1) n;

INSERT INTO authority_spentidentifier (digest, expires_at)
SELECT encode(sha256(('spent' || n)::bytea), 'hex'), now() - n * interval '1 second'
FROM generate_series(1, %(rows)s) n;

INSERT INTO django_session (session_key, session_data, expire_date)
SELECT md5('session' || n), repeat('x', 200), now() + CASE n %% 2 WHEN 0 THEN -1 ELSE 1 END * n * interval '1 second'
FROM generate_series(1, %(rows)s) n;

INSERT INTO usersessions_usersession (created_at, ip, last_seen_at, session_key, user_agent, data, user_id)
SELECT now(), '192.0.2.7', now(), md5('session' || n), 'curl/8', '{}', (SELECT id FROM consumers_user LIMIT 1)
FROM generate_series(1, %(rows)s) n;

INSERT INTO core_submission (key, outcome, created_at, user_id)
SELECT md5('form' || n)::uuid, '/', now() - interval '3 days', (SELECT id FROM consumers_user LIMIT 1)
FROM generate_series(1, %(rows)s) n;

INSERT INTO core_message (state, attempts, last_error, next_attempt_at, recipients, subject, encrypted_message,
                          created_at, sent_at)
SELECT CASE n %% 10 WHEN 0 THEN 'waiting' ELSE 'sent' END, 1, '', now(), 'a@crowd.example', 'Sign-in code', '',
       now() - interval '31 days' - n * interval '1 second', now()
FROM generate_series(1, %(rows)s) n
