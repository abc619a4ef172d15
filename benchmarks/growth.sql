-- On top of a crowd: one consumer with %(clients)s of its clients, what those leave behind, and %(events)s events.

UPDATE clients_client
SET consumer_id = (SELECT id FROM consumers_consumer WHERE slug = 'acme'),
    last_used_at = CASE WHEN id %% 5 > 0 THEN now() - id * interval '1 minute' END,
    disabled_at = CASE WHEN id %% 50 = 0 THEN now() END
WHERE id BETWEEN 1001 AND 1000 + %(clients)s;

-- Every way in which a secret ends: of each hundred some are revoked, expired, rotated and about to expire.

UPDATE clients_clientsecret
SET revoked_at = CASE WHEN client_id %% 100 < 2 THEN now() END,
    expires_at = CASE client_id %% 100 WHEN 3 THEN now() - interval '1 day' WHEN 4 THEN now() + interval '9 days'
                                       WHEN 5 THEN now() + interval '90 days' END,
    rotated_at = CASE WHEN client_id %% 100 = 5 THEN now() END,
    created_at = now() - client_id %% 400 * interval '1 day',
    last_used_at = CASE WHEN client_id %% 5 > 0 THEN now() - client_id %% 200 * interval '1 day' END
WHERE client_id > 1000;

INSERT INTO clients_clientsecret
SELECT made.*
FROM clients_clientsecret one,
     jsonb_populate_record(one, jsonb_build_object(
         'id', md5('second' || one.client_id), 'rotated_at', NULL, 'expires_at', NULL, 'revoked_at', NULL,
         'digest', encode(sha256(('second' || one.client_id)::bytea), 'hex'))) made
WHERE one.client_id > 1000 AND one.client_id %% 100 BETWEEN 5 AND 30;

DELETE FROM clients_clientsecret WHERE client_id > 1000 AND client_id %% 100 = 40;

-- People: %(members)s of the large consumer, and ten of each other one; as many invitations.

INSERT INTO consumers_user
SELECT made.*
FROM consumers_user one, generate_series(1, %(people)s) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', md5('person' || n), 'email', 'person-' || n || '@crowd.example', 'name', 'Person ' || n)) made
WHERE one.email = 'alice@acme.example';

INSERT INTO consumers_membership (consumer_id, user_id, role, joined_at)
SELECT CASE WHEN n <= %(members)s THEN (SELECT id FROM consumers_consumer WHERE slug = 'acme')
            ELSE md5('consumer' || n %% 2001)::uuid END,
       md5('person' || n)::uuid, CASE n %% 2 WHEN 0 THEN 'viewer' ELSE 'manager' END, now()
FROM generate_series(1, %(people)s) n;

INSERT INTO consumers_invitation (consumer_id, email, role, token_digest, created_at, sent_at, expires_at, accepted_at)
SELECT CASE WHEN n <= %(members)s THEN (SELECT id FROM consumers_consumer WHERE slug = 'acme')
            ELSE md5('consumer' || n %% 2001)::uuid END,
       'invited-' || n || '@crowd.example', 'viewer', encode(sha256(('invitation' || n)::bytea), 'hex'), now(), now(),
       now() + (n %% 14 - 2) * interval '1 day', CASE WHEN n %% 2 = 0 THEN now() END
FROM generate_series(1, %(people)s) n;

-- What was done: a tenth of it in the large consumer.

INSERT INTO consumers_event (at, name, actor_kind, actor_id, actor_label, consumer_id, target_kind, target_id,
                             target_label, detail, ip, user_agent, request_id)
SELECT now() - (%(events)s - n) * interval '30 seconds',
       (ARRAY['client.created', 'client.updated', 'client.secret.created', 'client.secret.rotated', 'manager.invited'])
       [1 + n %% 5], 'person', md5('person' || n %% 1000), 'Person ' || n %% 1000,
       CASE n %% 10 WHEN 0 THEN (SELECT id FROM consumers_consumer WHERE slug = 'acme')
                    ELSE md5('consumer' || n %% 2001)::uuid END,
       'client', 1001 + n %% %(crowd)s, 'Client ' || 1 + n %% %(crowd)s,
       jsonb_build_object('email', 'invited-' || n || '@crowd.example', 'role', 'viewer', 'hint', lpad(to_hex(n %% 65536), 4, '0')),
       '192.0.2.7', 'curl/8', md5('request' || n)
FROM generate_series(1, %(events)s) n;

-- A month of use of the large consumer's clients, two days of everybody's, and what was refused.

INSERT INTO authority_dailycount (client_id, day, issued, refused)
SELECT 1000 + n, CURRENT_DATE - back, n %% 1000, n %% 10
FROM generate_series(1, %(crowd)s) n, generate_series(1, 30) back
WHERE back = 1 OR n <= %(clients)s;

INSERT INTO authority_problem (client_id, endpoint, kind, detail, error, count, first_at, last_at)
SELECT 1000 + n, 'token', 'secret_unknown', '{}', 'invalid_client', n, now() - interval '9 days',
       now() - n * interval '10 seconds'
FROM generate_series(1, %(clients)s) n;

INSERT INTO core_message (state, attempts, last_error, next_attempt_at, recipients, subject, encrypted_message,
                          created_at, sent_at)
SELECT CASE WHEN n %% 1000 = 0 THEN 'failed' ELSE 'sent' END, 1, '', now(), 'person-' || n || '@crowd.example',
       'Sign-in code ' || n, '', now() - n * interval '10 seconds', now()
FROM generate_series(1, %(mails)s) n;

INSERT INTO clients_api
SELECT made.*
FROM clients_api one, generate_series(1, %(apis)s) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', 1000 + n, 'name', 'API ' || n, 'identifier', 'https://api.meridian.example/crowd/' || n)) made
WHERE one.identifier = 'https://api.meridian.example/invoices';

INSERT INTO clients_scope
SELECT made.*
FROM clients_scope one, generate_series(1, %(apis)s * 5) n,
     jsonb_populate_record(one, jsonb_build_object(
         'id', 1000 + n, 'api_id', 1001 + n %% %(apis)s, 'value', 'crowd:' || n, 'name', 'Crowd ' || n)) made
WHERE one.value = 'invoices:read';

INSERT INTO clients_access (consumer_id, scope_id)
SELECT md5('consumer' || n %% 2001)::uuid, 1001 + n / 2001 * 9
FROM generate_series(0, 2001 * 20 - 1) n
