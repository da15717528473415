// The tables of the journal's file, as docs/journal.md draws them. A change here is a new version, a migration and a new page.

/** "LKST": tells our files from other people's. */
export const APPLICATION_ID = 0x4c4b5354;
export const SCHEMA_VERSION = 3;

/** Steps in their place: up to some dozens in a row, found by the instance and the last of them. */
export const STEP_TABLE = `
  CREATE TABLE step       (instance INTEGER, last INTEGER, first INTEGER NOT NULL, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL,
                           PRIMARY KEY (instance, last)) WITHOUT ROWID;
`;

/** Steps as they came: all of one write in a row. They are moved to their place many writes at a time. */
export const WRITE_TABLE = `
  CREATE TABLE write      (id INTEGER PRIMARY KEY, sum INTEGER NOT NULL, head TEXT NOT NULL, body TEXT NOT NULL);
`;

/** Instances that another peer orders now. Files of version 3 that were made before there was this table get it when they are opened. */
export const MOVED_TABLE = `
  CREATE TABLE IF NOT EXISTS moved (name TEXT PRIMARY KEY, peer TEXT NOT NULL, epoch INTEGER NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
`;

export const SCHEMA = `
  CREATE TABLE image      (hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE machine    (name TEXT PRIMARY KEY, image TEXT NOT NULL, sum INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE instance   (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, image TEXT NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE checkpoint (instance INTEGER PRIMARY KEY, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, sum INTEGER NOT NULL, body TEXT NOT NULL);
  ${STEP_TABLE}
  ${WRITE_TABLE}
`;
