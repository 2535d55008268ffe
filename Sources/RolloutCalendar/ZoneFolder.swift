import FleetWire
import FoundationEssentials
package import RolloutPlan

/// The time zones of a machine, one file each, as the package tzdata brings them.
package struct ZoneFolder: Sendable {
    /// The folder, such as `/usr/share/zoneinfo`.
    package let path: String

    /// The zones in `path`.
    package init(path: String) { self.path = path }

    /// Where this machine has them: `TZDIR`, or `/usr/share/zoneinfo`.
    package static let ofThisMachine = ZoneFolder(
        path: ProcessInfo.processInfo.environment["TZDIR"].flatMap { $0.isEmpty ? nil : $0 }
            ?? "/usr/share/zoneinfo")

    /// Larger files are no zones; the largest zone has some 4 KiB.
    private static let zoneBytesMax = 64 << 10

    /// True if there is such a folder.
    package var isThere: Bool {
        var isFolder = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
    }

    /// Reads a zone. Throws if the machine has no zones, or none of that name.
    package func zone(named name: String) throws(CalendarTrouble) -> Zone {
        guard isThere else { throw .noZones(name, folder: path) }
        let file = "\(path)/\(name)"
        guard Self.isName(name), FileManager.default.fileExists(atPath: file) else {
            throw .noSuchZone(name, nearest: NearestName.of(name, among: names), folder: path)
        }
        guard let zone = Self.zone(named: name, file: file) else {
            throw .unreadable(name, file: file)
        }
        return zone
    }

    /// What the checker of plans asks.
    package var lookup: ZoneLookup {
        { [self] name in
            do throws(CalendarTrouble) {
                _ = try zone(named: name)
                return .known
            } catch {
                switch error {
                case .noSuchZone: return .unknown(known: names)
                case .noZones, .unreadable, .notATime: return .unreadable(error.description)
                }
            }
        }
    }

    /// The zone of whoever sits at this machine: `TZ`, or `/etc/localtime`, or UTC.
    package func local(
        environment: [String: String] = ProcessInfo.processInfo.environment,
        file: String = "/etc/localtime"
    ) -> Zone {
        let utc = Zone(name: "UTC", offsetFirst: 0, changes: [], rule: nil)
        if var name = environment["TZ"], !name.isEmpty {
            if name.hasPrefix(":") { name.removeFirst() }
            if let zone = try? zone(named: name) { return zone }
            guard let rule = ZoneRule(name) else { return utc }
            return Zone(name: name, offsetFirst: rule.offset, changes: [], rule: rule)
        }
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: file)
        // `/usr/share/zoneinfo/Europe/Berlin`; a copy of the file has no name.
        let parts = target?.split(separator: "/zoneinfo/", maxSplits: 1) ?? []
        let name = parts.count == 2 ? String(parts[1]) : "local time"
        return Self.zone(named: name, file: file) ?? utc
    }

    private static func zone(named name: String, file: String) -> Zone? {
        guard let bytes = FileManager.default.contents(atPath: file), bytes.count <= zoneBytesMax
        else { return nil }
        return ZoneFile.zone(named: name, in: Array(bytes))
    }

    /// Names of zones, for hints.
    private var names: [String] {
        let all = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return all.filter { name in
            Self.isName(name) && name.first?.isUppercase == true && !name.contains(".")
        }.sorted()
    }

    /// Parts of letters, digits, `_`, `-` and `+`; nothing that leaves the folder. `right` holds
    /// zones that count leap seconds, `posix` the same zones again.
    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return name.utf8.count <= 64 && parts.first != "right" && parts.first != "posix"
            && parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy { byte in
                        switch byte {
                        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2D, 0x5F: true
                        default: false
                        }
                    }
            }
    }
}
