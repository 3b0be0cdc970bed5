-- The history of one zone is read by its own index; a rowid table's index holds the revision.
CREATE INDEX mapping_change_of ON mapping_change (zone);

-- Every change after revision `oldest` is kept. A `replica` has another database's epoch, and may
-- have been loaded without history: `loaded_at` is the time of the last change before that.
INSERT INTO meta (key, value) VALUES ('oldest', '0'), ('replica', '0'), ('loaded_at', '0');
