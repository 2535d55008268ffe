import Glibc

/// The file systems that a restore has written to: each is synced as a whole, since one `syncfs`
/// costs less than an fsync of each of thousands of files.
struct WrittenFileSystems {
    private var places: [dev_t: Descriptor] = [:]

    /// Remembers the file system of `directory`. To be called before anything is written there: a
    /// descriptor that is opened after an early sync has reported an error does not hear of it.
    mutating func note(_ directory: Descriptor) throws {
        let device = try directory.status().st_dev
        if places[device] == nil { places[device] = directory }
    }

    /// All that was written there is durable on return. Since Linux 5.8 `syncfs` reports data that
    /// could not be written since the descriptor was opened.
    func sync(_ beforeChange: RestoreHook?) throws {
        for place in places.values {
            try beforeChange?("sync")
            guard place.calls.syncfs(place.raw) == 0 else {
                throw PointError.system("sync what was restored", [], errno)
            }
        }
    }
}
