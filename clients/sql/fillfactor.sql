-- Leaves room in each page for the row that is written when a client was used: so no index is written with it.
ALTER TABLE clients_client SET (fillfactor = 85);
ALTER TABLE clients_clientsecret SET (fillfactor = 85);
