import ArgumentParser
import FleetWire
import OperatorAPI
import RolloutPlan

/// `--host`, `--hosts` and `--all`: of which hosts a command about points speaks.
struct HostsChoice: ParsableArguments {
    @Option(help: "The host; may be given several times.")
    var host: [HostID] = []
    @Option(help: "The hosts whose labels match, for example \"zone=a\".")
    var hosts: String?
    @Flag(help: "All hosts of the fleet.")
    var all = false

    mutating func validate() throws {
        let given = (host.isEmpty ? 0 : 1) + (hosts == nil ? 0 : 1) + (all ? 1 : 0)
        guard given <= 1 else { throw ValidationError("give one of --host, --hosts and --all") }
    }

    var isGiven: Bool { !host.isEmpty || hosts != nil || all }

    /// What is changed or read in full is named on purpose.
    func demand() throws {
        guard isGiven else { throw ValidationError("give --host, --hosts or --all") }
    }

    /// The selection; all hosts if none was chosen.
    var selection: HostSelection {
        host.isEmpty ? HostSelection(selector: hosts) : HostSelection(hosts: host)
    }

    /// True if the answer is one host's, so that all of it is shown.
    var isOneHost: Bool { host.count == 1 }

    /// For people: `web-1`, `3 hosts`, `the hosts with zone=a`, `all hosts`.
    var words: String {
        if let hosts { return "the hosts with \(hosts)" }
        if host.isEmpty { return "all hosts" }
        return host.count == 1 ? host[0].rawValue : "\(host.count) hosts"
    }
}

/// The point that is meant: as an argument, or by its name.
struct PointChoice: ParsableArguments {
    @Argument(
        help: "The point: its id, the beginning of its id, its name, or \"latest\".")
    var point: String?
    @Option(help: "The point of this name.")
    var name: String?

    mutating func validate() throws {
        if point != nil, name != nil { throw ValidationError("give a POINT or --name, not both") }
        if (point ?? name ?? "-").isEmpty { throw ValidationError("a point's name is not empty") }
    }

    func demand() throws {
        guard point != nil || name != nil else { throw ValidationError("give a POINT or --name") }
    }

    /// As hosts are asked for it.
    var text: String { name ?? point ?? "" }
}

/// How fast many hosts are asked.
struct PaceOptions: ParsableArguments {
    @Option(help: "Hosts asked at the same time, 1 to 256; 16 if left out.")
    var maxParallel: Int?
    @Option(help: "How long one host may take, for example 10m.")
    var within: SpanArgument?

    mutating func validate() throws {
        if let maxParallel, !(1...256).contains(maxParallel) {
            throw ValidationError("--max-parallel must be 1 to 256")
        }
    }

    func request(_ choice: HostsChoice, _ request: PointRequest) -> FleetPointRequest {
        var wanted = FleetPointRequest(selection: choice.selection, request: request)
        wanted.maxParallel = maxParallel
        wanted.within = within?.span
        return wanted
    }
}

/// `5` or `10%`.
struct CountArgument: ExpressibleByArgument {
    var count: Count
    init?(argument: String) {
        guard let count = Count(friendly: argument), count.of(1000) > 0 else { return nil }
        self.count = count
    }
}

/// `512MiB`.
struct SizeArgument: ExpressibleByArgument {
    var size: ByteCount
    init?(argument: String) {
        guard let size = ByteCount(friendly: argument), size.count > 0 else { return nil }
        self.size = size
    }
}

extension ComponentName: ExpressibleByArgument {}
