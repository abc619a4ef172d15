-- %(people)s end users of three apps: most of them of one, each with a consent, sign-ins, a family and a refresh token.

INSERT INTO consumers_user (id, email, name, password, is_staff, is_active, is_superuser, date_joined, is_end_user, login_subject)
SELECT md5('end user' || n)::uuid,
       CASE n %% 2 WHEN 0 THEN 'end-' || n || '@home.example' ELSE md5('end user' || n)::uuid || '@no-address.invalid' END,
       (ARRAY['Ada', 'Ben', 'Carla', 'Dario', 'Emre', 'Fay', 'Gita', 'Hugo', 'Ines', 'Jon'])[1 + n %% 10] || ' ' || n,
       '!', false, true, false, now() - n * interval '1 second', true,
       CASE n %% 2 WHEN 1 THEN 'customer-' || n END
FROM generate_series(1, %(people)s) n;

INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT id, email, true, true FROM consumers_user WHERE is_end_user AND login_subject IS NULL;

-- A tenth has a second sign-in, so that not every family stands for somebody.

INSERT INTO authority_signin (id, client_id, user_id, sid, session, as_member, authenticated_at, methods, acr, user_agent,
                              created_at)
SELECT md5('family' || n || ' ' || again)::uuid, (%(apps)s::bigint[])[1 + CASE n %% 20 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END],
       md5('end user' || n)::uuid, md5('sid' || n), '', false, now() - n * interval '2 seconds', '{pwd}', '',
       'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', now() - n * interval '2 seconds'
FROM generate_series(1, %(people)s) n, generate_series(0, 1) again WHERE again = 0 OR n %% 10 = 0;

INSERT INTO authority_tokenfamily (id, client_id, user_id, as_member, grant_type, scopes, resource, dpop_jkt, began_at,
                                   generation, rotated_at, grace_uses, retain_until)
SELECT id, client_id, user_id, false, 'authorization_code',
       CASE hashtext(id::text) %% 3 WHEN 0 THEN '{openid,shipments:read}'::varchar[]
            ELSE '{openid,profile,email,offline_access,shipments:read}' END,
       '[]', '', created_at, 1, CASE WHEN hashtext(id::text) %% 2 = 0 THEN now() - abs(hashtext(id::text)) %% 60 * interval '1 day' END,
       0, now() + interval '30 days'
FROM authority_signin WHERE created_at < now() AND session = '' AND sid <> '';

INSERT INTO authority_refreshtoken (digest, family_id, generation, created_at, expires_at)
SELECT encode(sha256(id::text::bytea), 'hex'), id, 1, began_at, now() + interval '30 days' FROM authority_tokenfamily
WHERE generation = 1;

INSERT INTO authority_consent (client_id, user_id, scopes, resources, given_at, last_used_at)
SELECT (%(apps)s::bigint[])[1 + CASE n %% 20 WHEN 0 THEN 1 WHEN 1 THEN 2 ELSE 0 END], md5('end user' || n)::uuid,
       '{openid,profile,email,shipments:read}', '{}', now() - n * interval '2 seconds', now()
FROM generate_series(1, %(people)s) n
