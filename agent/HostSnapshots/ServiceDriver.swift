import FleetWire
import Glibc

/// The driver `service`: whether it runs and, of a systemd unit, its files and drop-ins below
/// /etc/systemd/system and whether it is started at boot.
struct ServiceDriver: ComponentDriving {
    let name: ComponentName
    let control: ServiceControl
    let services: any ServiceControlling
    let root: HostRoot
    let phase = RestorePhase.last

    private static let folder = "/etc/systemd/system"

    /// The unit's file and drop-ins; of an instance those of its template too. Masking is a link in
    /// place of the file.
    func paths() throws -> [String] {
        guard var unit = try services.unit(control) else { return [] }
        guard !unit.contains("/"), !unit.isEmpty, !unit.hasPrefix(".") else {
            throw PointError(
                "read", "component \(name)", "\(unit) is no name of a systemd unit",
                "correct the plan")
        }
        if !unit.contains(".") { unit += ".service" }
        var names = [unit]
        if let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: "."), at < dot,
            unit.index(after: at) < dot
        {
            names.append(String(unit[...at]) + String(unit[dot...]))
        }
        return names.flatMap { ["\(Self.folder)/\($0)", "\(Self.folder)/\($0).d"] }.sorted()
    }

    func entries(into sink: any ObjectSink, point: PointID?) throws -> [Entry] {
        var entry = Entry(kind: .service, path: Array(name.rawValue.utf8))
        var words = [try services.isActive(control) ? "active" : "inactive"]
        if let enablement = try services.enablement(control) { words.append("\(enablement)") }
        entry.target = Array(words.joined(separator: " ").utf8)
        return [entry]
    }

    /// Whether it runs is brought about by the store, which does it for services that only stopped
    /// meanwhile too.
    func restore(
        to captured: [Entry], from objects: ObjectReader, beforeChange: (String) throws -> Void
    ) throws {
        guard let wanted = State(captured) else {
            throw PointError.damaged("component \(name)", "its entry names no state")
        }
        if wanted.enablement == .missing { try removeLinks(beforeChange) }
        if try services.needsReload(control) {
            try beforeChange("reload unit files for \(name)")
            try services.reload()
        }
        if let enablement = wanted.enablement,
            let now = try services.enablement(control), now != enablement
        {
            try beforeChange("make \(name) \(enablement)")
            try services.enable(control, enablement)
        }
        try syncLinks()
    }

    /// systemd does not sync the links that it makes; one that an earlier run let it make counts too.
    private func syncLinks() throws {
        guard try services.unit(control) != nil,
            let (parent, name) = try root.parent(of: Array(Self.folder.utf8)),
            let folder = parent.open(name, O_RDONLY | O_DIRECTORY)
        else { return }
        guard withExtendedLifetime(folder, { folder.calls.syncfs(folder.raw) }) == 0 else {
            throw PointError.system("sync", Array(Self.folder.utf8), errno)
        }
    }

    /// systemd leaves the links to a unit whose file is gone; they would start it at boot once a
    /// file of this name comes.
    private func removeLinks(_ beforeChange: (String) throws -> Void) throws {
        guard let unit = try services.unit(control),
            let (parent, name) = try root.parent(of: Array(Self.folder.utf8)),
            let folder = parent.open(name, O_RDONLY | O_DIRECTORY)
        else { return }
        let link = Array((unit.contains(".") ? unit : unit + ".service").utf8)
        for child in try folder.names() {
            let text = String(decoding: child, as: UTF8.self)
            guard text.hasSuffix(".wants") || text.hasSuffix(".requires"),
                let wants = folder.open(child, O_RDONLY | O_DIRECTORY),
                let found = try wants.status(of: link), found.st_mode & S_IFMT == S_IFLNK
            else { continue }
            try beforeChange("remove the link of \(unit) in \(text)")
            guard withPath(link, { wants.calls.unlinkat(wants.raw, $0, 0) }) == 0 else {
                throw PointError.system("remove the link", link, errno)
            }
            try wants.sync(child)
        }
    }

    /// What the entry of a service says.
    struct State {
        var isActive: Bool
        var enablement: UnitEnablement?

        init?(_ entries: [Entry]) {
            guard let entry = entries.first(where: { $0.kind == .service }) else { return nil }
            let words = String(decoding: entry.target, as: UTF8.self).split(separator: " ")
            guard let first = words.first, ["active", "inactive"].contains(first), words.count < 3
            else { return nil }
            isActive = first == "active"
            enablement = words.count > 1 ? UnitEnablement(String(words[1])) : nil
        }
    }
}
