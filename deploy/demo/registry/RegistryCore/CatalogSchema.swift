/// The first schema of the catalog.
///
/// Schema 2 is not here: the plan's `catalog-2.sql` takes a catalog there, so that a catalog has
/// one way to it. A release never changes the schema by itself.
enum CatalogSchema {
    /// Makes an empty catalog at schema 1.
    static let one = """
        CREATE TABLE dataset (
            name TEXT PRIMARY KEY NOT NULL,
            path TEXT NOT NULL UNIQUE,
            rows INTEGER NOT NULL CHECK (rows >= 0),
            sha256 TEXT NOT NULL CHECK (length(sha256) = 64)
        ) STRICT;
        PRAGMA user_version = 1;
        """
}
