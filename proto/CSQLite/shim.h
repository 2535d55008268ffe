#ifndef BELAY_CSQLITE_SHIM_H
#define BELAY_CSQLITE_SHIM_H
#include <sqlite3.h>
static inline int belay_bind_text(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}
static inline int belay_bind_blob(sqlite3_stmt *statement, int index, const void *data, int bytes) {
    return bytes == 0 ? sqlite3_bind_zeroblob(statement, index, 0)
                      : sqlite3_bind_blob(statement, index, data, bytes, SQLITE_TRANSIENT);
}
#endif
