import AgentRuntime
import ArgumentParser
import FleetWire
import Glibc

/// `belay-agent point …`.
struct PointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "point",
        abstract: "Rollback points of this host, with the agent running or stopped.",
        discussion: """
            A point is named by its id, its name, the beginning of an id, or latest.
            """,
        subcommands: [
            Create.self, List.self, Show.self, Diff.self, Verify.self, Restore.self, Prune.self,
            Scrub.self, Repair.self, PolicyCommand.self,
        ])

    /// `belay-agent point create`.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Capture components now; verified and durable when it returns.",
            discussion: """
                Without --components and --path the newest rollout's are captured.
                A file of --components holds an array as this, or an object that has it as
                components:
                [
                  {"name": "etc", "restart": true,
                   "driver": {"files": {"paths": ["/etc/app"], "exclude": ["*.tmp"]}}},
                  {"name": "db", "restart": false, "driver": {"sqlite": {"path": "/srv/app.db"}}}
                ]
                """)
        @OptionGroup var asking: AskingOptions
        @Option(help: "A name for the point, unique on this host; it begins with a letter.")
        var name: String?
        @Option(help: "Why.") var reason: String?
        @Option(help: "A file with a JSON array of components, or an object that has one.")
        var components: String?
        @Option(name: .customLong("path"), help: "A file or tree to capture; may be repeated.")
        var paths: [String] = []
        @Option(help: "With --path: what not to capture, a gitignore pattern; may be repeated.")
        var exclude: [String] = []
        @Flag(help: "Read every file, also those that have not changed since the last point.")
        var rereads = false
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if components != nil, !paths.isEmpty {
                throw ValidationError("--components and --path cannot go together")
            }
            if paths.isEmpty, !exclude.isEmpty {
                throw ValidationError("--exclude goes with --path")
            }
        }

        func run() async throws {
            var request = PointRequest(action: .create)
            request.name = name
            request.reason = reason
            request.rereads = rereads ? true : nil
            request.components = try components.map(ComponentArguments.read)
            if !paths.isEmpty {
                request.components = try ComponentArguments.trees(paths, excluding: exclude)
            }
            let reply = try await asking.ask(request)
            try output.show(reply) {
                PointText.points(reply.points, isWide: $0, now: HostClock.now(), style: $1)
                    + PointText.notes(reply.points, style: $1)
            }
        }
    }

    /// `belay-agent point list`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List points, oldest first.")
        @OptionGroup var asking: AskingOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            try output.points(try await asking.ask(PointRequest(action: .list)))
        }
    }

    /// `belay-agent point show`.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what a point holds: mode, owner, size and path of every entry.")
        @OptionGroup var asking: AskingOptions
        @Argument(help: "The point.") var point: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let collected = Collected()
            let isProgram = output.isProgram
            var reply = try await asking.ask(PointRequest(action: .show, point: point)) { line in
                if isProgram {
                    collected.add(line)
                } else {
                    Stream.output.lines(line.entries ?? [])
                }
            }
            guard isProgram else {
                Stream.output.lines(
                    PointText.notes(reply.points, style: Stream.output.style))
                return
            }
            reply.entries = collected.lines.entries ?? []
            try output.show(reply) { _, _ in [] }
        }
    }
}

/// What a component is made of on the command line.
enum ComponentArguments {
    /// The components in a file: a JSON array of them, or an object with the array `components`.
    static func read(_ path: String) throws -> [ComponentSpec] {
        struct Holder: Decodable { var components: [ComponentSpec] }
        if let holder = try? FileArgument.read(Holder.self, path) { return holder.components }
        return try FileArgument.read([ComponentSpec].self, path)
    }

    /// One component of driver `files` for each path, named after it.
    static func trees(
        _ paths: [String], excluding patterns: [String]
    ) throws -> [ComponentSpec] {
        try paths.map { path in
            guard path.hasPrefix("/") else {
                throw ValidationError("--path \(path) must begin with /")
            }
            struct Files: Encodable {
                var paths: [String]
                var exclude: [String]
            }
            let driver = try WireJSON.decode(
                ComponentDriver.self,
                from: try WireJSON.encode(["files": Files(paths: [path], exclude: patterns)]))
            return ComponentSpec(name: name(of: path), driver: driver, restart: false)
        }
    }

    /// `/etc/nginx` becomes `etc-nginx`.
    static func name(of path: String) -> ComponentName {
        let parts = path.split(separator: "/").map { part in
            String(
                part.map { character in
                    character.isASCII && (character.isLetter || character.isNumber)
                        ? character : "_"
                })
        }
        var text = String(parts.joined(separator: "-").suffix(120))
        while let first = text.first, !(first.isLetter || first.isNumber) { text.removeFirst() }
        while let last = text.last, !(last.isLetter || last.isNumber) { text.removeLast() }
        return ComponentName(text) ?? ComponentName(unchecked: "root")
    }
}

extension OutputOptions {
    /// Prints the points of an answer.
    func points(_ reply: PointReply) throws {
        try show(reply) {
            PointText.points(reply.points, isWide: $0, now: HostClock.now(), style: $1)
        }
    }
}
