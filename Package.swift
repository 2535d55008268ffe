// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

// MARK: - Libraries that come from outside (each has its line in docs/adr/0001-dependencies.md)

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let certificates: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let asn1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTLS: Target.Dependency = .product(name: "HummingbirdTLS", package: "hummingbird")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A module of ours: `needs` are its arrows in DESIGN's import graph, `Tests/Tidy` holds it to them.
func module(_ name: String, in folder: String, needs: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: needs, path: "\(folder)/\(name)", swiftSettings: strict)
}

func tool(_ name: String, in folder: String, needs: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: needs, path: "\(folder)/\(name)", swiftSettings: strict)
}

/// A test target; `golden` is a folder of files that its tests compare with.
func tests(_ name: String, golden: String? = nil, needs: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: needs, path: "Tests/\(name)",
        exclude: golden.map { [$0] } ?? [], swiftSettings: strict)
}

let package = Package(
    name: "belay",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // proto
        module("FleetWire", in: "proto"),
        module("Validation", in: "proto", needs: ["FleetWire"]),
        .systemLibrary(
            name: "COpenSSL", path: "proto/COpenSSL", pkgConfig: "libssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CSQLite", path: "proto/CSQLite", pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"])]),
        module("SQLiteFile", in: "proto", needs: ["CSQLite"]),
        module(
            "FleetTransport", in: "proto",
            needs: ["FleetWire", "COpenSSL", nioCore, nioPosix, nioHTTP1, logging]),
        // the plan and the rollout
        module("RolloutChecklist", in: "Sources", needs: ["FleetWire"]),
        module(
            "RolloutPlan", in: "Sources",
            needs: ["FleetWire", "Validation", "RolloutChecklist", yams, crypto]),
        module("RolloutCalendar", in: "Sources", needs: ["FleetWire", "RolloutPlan"]),
        module(
            "RolloutCore", in: "Sources", needs: ["FleetWire", "RolloutChecklist", "RolloutPlan"]),
        module(
            "OperatorAPI", in: "Sources",
            needs: ["FleetWire", "RolloutChecklist", "RolloutPlan", "RolloutCore"]),
        tool(
            "belay", in: "Sources",
            needs: [
                "FleetWire", "Validation", "RolloutChecklist", "RolloutPlan", "RolloutCalendar",
                "RolloutCore",
                "OperatorAPI", "FleetSimulation", arguments, httpClient, nioCore, nioPosix,
                nioHTTP1, nioSSL, yams,
            ]),
        module(
            "FleetSimulation", in: "Sources",
            needs: ["FleetWire", "RolloutPlan", "RolloutCore", "AgentCore"]),
        // the agent
        module("AgentCore", in: "agent", needs: ["FleetWire"]),
        .systemLibrary(
            name: "CZstd", path: "agent/CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CLibYAML", path: "agent/CLibYAML", pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]),
        .systemLibrary(name: "CLinux", path: "agent/CLinux"),
        module("HostProcesses", in: "agent", needs: ["FleetWire", "CLinux"]),
        module(
            "HostSnapshots", in: "agent",
            needs: [
                "FleetWire", "COpenSSL", "FleetTransport", "HostProcesses", "CZstd", "CLinux",
                "SQLiteFile",
            ]),
        module(
            "HostSteps", in: "agent",
            needs: [
                "FleetWire", "FleetTransport", "HostProcesses", "HostSnapshots", "HostValidators",
                "SQLiteFile", "CLinux",
            ]),
        module(
            "HostValidators", in: "agent",
            needs: [
                "FleetWire", "Validation", "FleetTransport", "HostProcesses", "SQLiteFile",
                "CLibYAML", "CLinux", "COpenSSL",
                nioCore, nioPosix, nioHTTP1,
            ]),
        module("HostMetrics", in: "agent", needs: ["FleetWire"]),
        module(
            "AgentRuntime", in: "agent",
            needs: [
                "AgentCore", "FleetWire", "FleetTransport", "HostProcesses", "HostSnapshots",
                "HostSteps", "HostValidators", "HostMetrics", "SQLiteFile", "CLinux", nioCore,
                nioPosix, logging, lifecycle,
            ]),
        tool(
            "belay-agent", in: "agent",
            needs: [
                "AgentRuntime", "AgentCore", "FleetWire", "Validation", "FleetTransport",
                "HostSnapshots", "HostProcesses", "HostValidators", arguments,
                logging, lifecycle, unixSignals,
            ]),
        // the coordinator
        module("StateStore", in: "coordinator", needs: ["FleetWire", "SQLiteFile", crypto]),
        module(
            "CoordinatorServer", in: "coordinator",
            needs: [
                "FleetWire", "FleetTransport", "StateStore", "RolloutChecklist", "RolloutPlan",
                "RolloutCalendar", "RolloutCore", "OperatorAPI", hummingbird, hummingbirdCore,
                hummingbirdTLS,
                httpClient, nioCore, nioHTTP1, nioPosix, nioSSL, logging, lifecycle, crypto,
                certificates, asn1,
            ]),
        tool(
            "belay-coordinator", in: "coordinator",
            needs: [
                "CoordinatorServer", "FleetWire", "FleetTransport", "RolloutPlan", "StateStore",
                arguments, yams, logging, lifecycle, unixSignals,
            ]),
        // the demo
        module(
            "RegistryCore", in: "deploy/demo/registry",
            needs: [yams, crypto, logging, "SQLiteFile"]),
        tool(
            "registry", in: "deploy/demo/registry",
            needs: [
                "RegistryCore", hummingbird, nioCore, arguments, logging, lifecycle, unixSignals,
            ]),
        tool(
            "belay-demo", in: "deploy/demo",
            needs: [
                "FleetWire", "OperatorAPI", "RolloutCore", "SQLiteFile", arguments, httpClient,
                nioCore, nioHTTP1, crypto,
            ]),
        // measurements
        tool("belay-bench", in: "deploy/bench", needs: ["CLinux", arguments]),
        tool(
            "bench-journal", in: "deploy/bench",
            needs: [
                "CoordinatorServer", "FleetWire", "RolloutCore", "RolloutPlan", "StateStore",
                arguments,
            ]),
        // tests
        tests("FleetWireTests", needs: ["FleetWire"]),
        tests("ValidationTests", golden: "Golden", needs: ["Validation", "FleetWire"]),
        tests(
            "FleetTransportTests",
            needs: [
                "FleetTransport", "FleetWire", "COpenSSL", nioCore, nioPosix, logging, crypto,
                certificates, asn1,
            ]),
        tests("RolloutChecklistTests", needs: ["RolloutChecklist", "FleetWire"]),
        tests(
            "RolloutPlanTests", golden: "Lint",
            needs: [
                "RolloutPlan", "RolloutChecklist", "RolloutCalendar", "Validation", "FleetWire",
            ]),
        tests("RolloutCalendarTests", needs: ["RolloutCalendar", "RolloutPlan", "FleetWire"]),
        tests(
            "RolloutCoreTests", golden: "Transcripts",
            needs: ["RolloutCore", "RolloutChecklist", "RolloutPlan", "FleetWire"]),
        tests(
            "CommandLineTests", golden: "Golden",
            needs: [
                "belay", "OperatorAPI", "RolloutChecklist", "RolloutCore", "RolloutPlan",
                "RolloutCalendar",
                "FleetWire", arguments,
                nioCore, nioPosix, nioHTTP1,
            ]),
        tests(
            "AgentCommandTests", golden: "Golden",
            needs: [
                "belay-agent", "AgentRuntime", "FleetWire", "Validation", "HostSnapshots",
                arguments,
            ]),
        tests("AgentCoreTests", golden: "Transcripts", needs: ["AgentCore", "FleetWire"]),
        tests(
            "AgentRuntimeTests",
            needs: [
                "AgentRuntime", "AgentCore", "FleetTransport", "FleetWire", "SQLiteFile",
                "belay-agent", nioPosix, logging, crypto, certificates, asn1,
            ]),
        tests("HostProcessesTests", needs: ["HostProcesses", "FleetWire"]),
        tests(
            "HostSnapshotsTests", golden: "Golden",
            needs: ["HostSnapshots", "HostProcesses", "FleetWire", "SQLiteFile", "CLinux"]),
        tests(
            "HostStepsTests",
            needs: ["HostSteps", "HostSnapshots", "HostProcesses", "FleetWire", "SQLiteFile"]),
        tests(
            "HostValidatorsTests",
            needs: [
                "HostValidators", "HostProcesses", "Validation", "FleetWire", "SQLiteFile",
            ]),
        tests("HostMetricsTests", needs: ["HostMetrics"]),
        tests("StateStoreTests", needs: ["StateStore", "FleetWire", "SQLiteFile"]),
        tests(
            "CoordinatorServerTests",
            needs: [
                "CoordinatorServer", "StateStore", "OperatorAPI", "RolloutChecklist",
                "RolloutCore", "RolloutPlan", "FleetTransport", "FleetWire", httpClient, logging,
                nioCore, nioHTTP1, nioPosix,
                nioSSL, yams, "SQLiteFile",
            ]),
        tests("RegistryTests", needs: ["RegistryCore", "SQLiteFile"]),
        tests("BenchTests", needs: ["belay-bench"]),
        tests("Tidy", needs: []),
        tests(
            "Integration",
            needs: [
                "belay", "belay-agent", "belay-coordinator", "FleetWire", "OperatorAPI",
                "RolloutCore", "RolloutPlan", "SQLiteFile",
            ]),
        tests("Simulation", needs: ["FleetSimulation", "RolloutCore"]),
    ]
)
