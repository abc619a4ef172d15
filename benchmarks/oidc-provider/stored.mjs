// An adapter for PostgreSQL, as its documentation describes one: a row for each thing, prepared statements, a pool.
import pg from "pg";

const pool = new pg.Pool();
await pool.query(`CREATE TABLE IF NOT EXISTS stored (
  kind text, id text, payload jsonb, expires_at timestamptz, PRIMARY KEY (kind, id))`);
await pool.query("CREATE INDEX IF NOT EXISTS of_grant ON stored ((payload->>'grantId'))");

export class Stored {
  constructor(kind) {
    this.kind = kind;
  }

  async upsert(id, payload, seconds) {
    await pool.query({
      name: "upsert",
      text: `INSERT INTO stored VALUES ($1, $2, $3, now() + $4 * interval '1 second')
             ON CONFLICT (kind, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
      values: [this.kind, id, payload, seconds],
    });
  }

  async find(id) {
    const { rows } = await pool.query({
      name: "find",
      text: "SELECT payload FROM stored WHERE kind = $1 AND id = $2 AND expires_at > now()",
      values: [this.kind, id],
    });
    return rows[0]?.payload;
  }

  async consume(id) {
    await pool.query({
      name: "consume",
      text: `UPDATE stored SET payload = payload || jsonb_build_object('consumed', extract(epoch FROM now())::bigint)
             WHERE kind = $1 AND id = $2`,
      values: [this.kind, id],
    });
  }

  async destroy(id) {
    await pool.query("DELETE FROM stored WHERE kind = $1 AND id = $2", [this.kind, id]);
  }

  async revokeByGrantId(grantId) {
    await pool.query("DELETE FROM stored WHERE payload->>'grantId' = $1", [grantId]);
  }
}
