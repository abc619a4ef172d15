-- Drops the indexes by which Django would search texts by their beginning (LIKE): here they are digests and names. Each
-- issued token would write into them, and nothing reads them.
DO $$
DECLARE
    unused text;
BEGIN
    FOR unused IN
        SELECT indexname FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename LIKE 'authority\_%' AND indexdef LIKE '%\_pattern\_ops)%'
    LOOP
        EXECUTE format('DROP INDEX %I', unused);
    END LOOP;
END $$;

-- Leaves room in each page for the row that a refresh, or the next count, writes: so no index is written with it.
ALTER TABLE authority_tokenfamily SET (fillfactor = 85);
ALTER TABLE authority_dailycount SET (fillfactor = 85);
