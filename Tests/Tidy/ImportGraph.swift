import Testing

/// The arrows of DESIGN's section 3 and of docs/ARCHITECTURE.md: who may import what of ours.
enum ImportGraph {
    /// Modules of ours by module; a module that is missing here fails the test.
    static let allowed: [String: Set<String>] = [
        "FleetWire": [],
        "Validation": ["FleetWire"],
        "COpenSSL": [], "CSQLite": [], "CZstd": [], "CLibYAML": [],
        "SQLiteFile": ["CSQLite"],
        "FleetTransport": ["FleetWire", "COpenSSL"],
        "RolloutChecklist": ["FleetWire"],
        "RolloutPlan": ["FleetWire", "Validation", "RolloutChecklist"],
        "RolloutCalendar": ["FleetWire", "RolloutPlan"],
        "RolloutCore": ["FleetWire", "RolloutChecklist", "RolloutPlan"],
        "OperatorAPI": ["FleetWire", "RolloutChecklist", "RolloutPlan", "RolloutCore"],
        "FleetSimulation": ["FleetWire", "RolloutPlan", "RolloutCore", "AgentCore"],
        "belay": [
            "FleetWire", "Validation", "RolloutChecklist", "RolloutPlan", "RolloutCalendar",
            "RolloutCore", "OperatorAPI", "FleetSimulation",
        ],
        "AgentCore": ["FleetWire"],
        "HostProcesses": ["FleetWire"],
        "HostSnapshots": [
            "FleetWire", "FleetTransport", "HostProcesses", "COpenSSL", "CZstd", "CLinux",
            "SQLiteFile",
        ],
        "HostValidators": [
            "FleetWire", "Validation", "FleetTransport", "HostProcesses", "SQLiteFile",
            "CLibYAML", "CLinux", "COpenSSL",
        ],
        "HostSteps": [
            "FleetWire", "FleetTransport", "HostProcesses", "HostSnapshots", "HostValidators",
            "SQLiteFile",
        ],
        "HostMetrics": ["FleetWire"],
        "AgentRuntime": [
            "AgentCore", "FleetWire", "FleetTransport", "HostProcesses", "HostSnapshots",
            "HostSteps", "HostValidators", "HostMetrics", "SQLiteFile",
        ],
        "belay-agent": [
            "AgentRuntime", "AgentCore", "FleetWire", "Validation", "FleetTransport",
            "HostSnapshots", "HostProcesses", "HostValidators",
        ],
        "StateStore": ["FleetWire", "SQLiteFile"],
        "CoordinatorServer": [
            "FleetWire", "FleetTransport", "StateStore", "RolloutChecklist", "RolloutPlan",
            "RolloutCalendar", "RolloutCore", "OperatorAPI",
        ],
        "belay-coordinator": [
            "CoordinatorServer", "FleetTransport", "FleetWire", "RolloutPlan", "StateStore",
        ],
        "RegistryCore": ["SQLiteFile"],
        "registry": ["RegistryCore", "SQLiteFile"],
        "belay-demo": [
            "FleetWire", "OperatorAPI", "RolloutCore", "RolloutPlan", "SQLiteFile",
        ],
        // It times whole programs from outside, so it knows nothing of what they are made of.
        "belay-bench": [],
        // It writes a journal as the engine does, for a start of the coordinator to be timed.
        "bench-journal": [
            "CoordinatorServer", "FleetWire", "RolloutCore", "RolloutPlan", "StateStore",
        ],
    ]

    /// Decisions are pure values: no I/O, no clock, no randomness, no concurrency.
    static let pure: Set<String> = [
        "FleetWire", "Validation", "RolloutChecklist", "RolloutCore", "AgentCore",
        "FleetSimulation",
    ]

    /// What a pure module may import from outside.
    static let pureImports: Set<String> = ["FoundationEssentials"]
}

@Suite("The import graph")
struct ImportGraphTests {
    private let tree = SourceTree.shared

    @Test("Every module of ours has its place in the graph")
    func everyModuleIsKnown() {
        let modules = Set(tree.production.map(\.module)).subtracting([""])
        #expect(modules.count > 10, "the tree was not found")
        #expect(modules.subtracting(ImportGraph.allowed.keys) == [])
    }

    @Test("A module imports only what the graph allows")
    func importsFollowTheGraph() {
        let ours = Set(ImportGraph.allowed.keys)
        for file in tree.production {
            let allowed = ImportGraph.allowed[file.module] ?? []
            for (module, line) in file.imports where ours.contains(module) {
                #expect(
                    allowed.contains(module),
                    "\(file.path):\(line): \(file.module) must not import \(module)")
            }
        }
    }

    @Test("Pure modules have no I/O, clock, randomness or concurrency")
    func pureModulesArePure() {
        let forbidden = [
            "Date(", "Date.now", "ContinuousClock", "SuspendingClock", ".random(", "UUID(",
            "SystemRandomNumberGenerator", "async ", "await ", "Task ", "Task{", "Mutex(",
            "print(", "FileManager", "getenv", "ProcessInfo", "DispatchQueue",
        ]
        for file in tree.production where ImportGraph.pure.contains(file.module) {
            for (module, line) in file.imports {
                let isOurs = ImportGraph.allowed[module] != nil
                #expect(
                    isOurs || ImportGraph.pureImports.contains(module),
                    "\(file.path):\(line): a pure module must not import \(module)")
            }
            for (index, line) in file.lines.enumerated() {
                let code = line.codeOnly
                for word in forbidden where code.contains(word) {
                    Issue.record("\(file.path):\(index + 1): \(word) has no place in a pure module")
                }
            }
        }
    }

    @Test("The agent does not carry the coordinator's libraries")
    func agentStaysSmall() {
        let heavy: Set<String> = [
            "Foundation", "Hummingbird", "NIOSSL", "AsyncHTTPClient", "X509", "Crypto",
        ]
        let agent = Set(ImportGraph.allowed["AgentRuntime"] ?? []).union(["AgentRuntime"])
        for file in tree.production where agent.contains(file.module) {
            for (module, line) in file.imports {
                #expect(
                    !heavy.contains(module), "\(file.path):\(line): \(module) in the agent")
            }
        }
    }
}

extension String {
    /// The line without its comment and without what stands in string literals.
    var codeOnly: String {
        var code = ""
        var inString = false
        var previous: Character = " "
        for character in self {
            if character == "\"", previous != "\\" { inString.toggle() }
            if !inString, character == "/", previous == "/" {
                code.removeLast()
                break
            }
            if !inString { code.append(character) }
            previous = character
        }
        return code
    }
}
