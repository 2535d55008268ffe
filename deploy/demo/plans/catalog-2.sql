-- Schema 2 of the catalog: datasets have versions, and computed features are kept.
CREATE TABLE dataset_2 (
    name TEXT PRIMARY KEY NOT NULL,
    current INTEGER NOT NULL CHECK (current >= 1)
) STRICT;
INSERT INTO dataset_2 (name, current) SELECT name, 1 FROM dataset;
CREATE TABLE dataset_1 (name TEXT, rows INTEGER, sha256 TEXT) STRICT;
INSERT INTO dataset_1 (name, rows, sha256) SELECT name, rows, sha256 FROM dataset;
DROP TABLE dataset;
ALTER TABLE dataset_2 RENAME TO dataset;
CREATE TABLE dataset_version (
    name TEXT NOT NULL REFERENCES dataset (name),
    version INTEGER NOT NULL CHECK (version >= 1),
    path TEXT NOT NULL UNIQUE,
    rows INTEGER NOT NULL CHECK (rows >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    PRIMARY KEY (name, version)
) STRICT;
INSERT INTO dataset_version (name, version, path, rows, sha256)
    SELECT name, 1, name || '/1/data.csv', rows, sha256 FROM dataset_1;
DROP TABLE dataset_1;
CREATE TABLE feature_cache (
    sha256 TEXT NOT NULL,
    engine TEXT NOT NULL,
    vectorized INTEGER NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (sha256, engine, vectorized)
) STRICT;
