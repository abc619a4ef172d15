-- Clients number %(first)s to %(last)s, each a copy of the demo's service, and %(groups)s times ten issued tokens.

INSERT INTO consumers_consumer
SELECT made.*
FROM consumers_consumer one, generate_series(%(first_consumer)s, %(last)s / 100) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', md5('consumer' || n), 'slug', 'crowd-' || n, 'external_id', NULL)) made
WHERE one.slug = 'acme';

INSERT INTO clients_access (consumer_id, scope_id)
SELECT md5('consumer' || n)::uuid, scope_id
FROM clients_access JOIN consumers_consumer one ON one.id = consumer_id,
     generate_series(%(first_consumer)s, %(last)s / 100) n
WHERE one.slug = 'acme';

INSERT INTO clients_client
SELECT made.*
FROM clients_client one, generate_series(%(first)s, %(last)s) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', 1000 + n, 'client_id', 'cl_crowd_' || n, 'client_name', 'Client ' || n,
         'consumer_id', md5('consumer' || n / 100), 'access_token_strategy', 'jwt')) made
WHERE one.client_name = 'Billing sync';

INSERT INTO clients_clientsecret
SELECT made.*
FROM clients_clientsecret one JOIN clients_client ON clients_client.id = one.client_id,
     generate_series(%(first)s, %(last)s) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', md5('secret' || n), 'client_id', 1000 + n, 'digest', encode(sha256(('secret' || n)::bytea), 'hex'))) made
WHERE client_name = 'Billing sync';

INSERT INTO authority_dailycount (client_id, day, issued, refused)
SELECT 1000 + n, CURRENT_DATE, n %% 1000, n %% 10
FROM generate_series(%(first)s, %(last)s) n;

-- Of ten tokens six are a family's refresh tokens, three are opaque, and one was revoked. A person has ten families.

INSERT INTO consumers_user
SELECT made.*
FROM consumers_user one, generate_series(0, %(groups)s / 10) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', md5('person' || n), 'email', 'person-' || n || '@crowd.example')) made
WHERE one.email = 'alice@acme.example' AND %(groups)s > 0;

INSERT INTO consumers_membership (consumer_id, user_id, role, joined_at)
SELECT md5('consumer' || n %% (%(last)s / 100 + 1))::uuid, md5('person' || n)::uuid, 'viewer', now()
FROM generate_series(0, %(groups)s / 10) n
WHERE %(groups)s > 0;

INSERT INTO authority_signin (id, client_id, user_id, sid, session, authenticated_at, methods, created_at)
SELECT md5('family' || n)::uuid, 1001 + n %% %(last)s, md5('person' || n / 10)::uuid, substr(md5('sid' || n), 1, 43),
       encode(sha256(('session' || n / 2)::bytea), 'hex'), at, '{pwd}', at
FROM (SELECT n, now() - n * interval '1 second' AS at FROM generate_series(1, %(groups)s) n) begun;

INSERT INTO authority_tokenfamily (id, client_id, user_id, as_member, grant_type, code, scopes, resource, dpop_jkt, began_at,
                              generation, rotated_at, grace_uses, retain_until)
SELECT md5('family' || n)::uuid, 1001 + n %% %(last)s, md5('person' || n / 10)::uuid, true, 'authorization_code',
       encode(sha256(('code' || n)::bytea), 'hex'), '{openid,shipments:read}', '[]', '', at,
       5, at + interval '5 hours', 0, at + interval '30 days'
FROM (SELECT n, now() - n * interval '1 second' AS at FROM generate_series(1, %(groups)s) n) begun;

INSERT INTO authority_refreshtoken (digest, family_id, generation, created_at, expires_at)
SELECT encode(sha256(('refresh' || n || '-' || generation)::bytea), 'hex'), md5('family' || n)::uuid, generation,
       at + generation * interval '1 hour', at + interval '30 days'
FROM (SELECT n, now() - n * interval '1 second' AS at FROM generate_series(1, %(groups)s) n) begun,
     generate_series(0, 5) generation;

INSERT INTO authority_opaquetoken (digest, client_id, claims, expires_at)
SELECT encode(sha256(('opaque' || n)::bytea), 'hex'), 1001 + n %% %(last)s, jsonb_build_object(
           'iss', 'http://127.0.0.1:8000', 'sub', 'cl_crowd_' || n, 'aud', 'https://api.meridian.example/shipments',
           'client_id', 'cl_crowd_' || n, 'scope', 'shipments:read', 'consumer_id', md5('consumer' || n),
           'iat', 1700000000 + n, 'exp', 1700003600 + n, 'jti', md5('opaque' || n)),
       now() + n * interval '1 millisecond'
FROM generate_series(1, %(groups)s * 3) n;

INSERT INTO authority_revokedtoken (jti, expires_at)
SELECT lpad(to_hex(1700000000000 + n * 100), 12, '0') || '7' || substr(md5('jti' || n), 1, 19), now() + n * interval '1 second'
FROM generate_series(1, %(groups)s) n;
