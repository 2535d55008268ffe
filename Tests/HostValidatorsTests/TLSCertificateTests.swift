import FleetWire
import Foundation
import Glibc
import HostProcesses
import Testing

@testable import HostValidators

/// Certificates made by the openssl program, and servers that show them; all ends with the object.
final class CertificateWorkshop {
    let root: CheckRoot
    private var servers: [Process] = []

    static let isThere = access("/usr/bin/openssl", X_OK) == 0

    init() throws {
        root = try CheckRoot()
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=Test CA")
    }

    /// They inherit that signals are blocked, and would not hear TERM.
    deinit { servers.forEach { kill($0.processIdentifier, SIGKILL) } }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: root.path)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "openssl \(arguments)")
    }

    /// `NAME.pem` and `NAME.key`, for localhost, signed by the authority.
    func issue(_ name: String, days: Int) throws {
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(name).key", "-out", "\(name).csr", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1")
        try openssl(
            "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "\(days)", "-copy_extensions", "copy", "-out", "\(name).pem"
        )
    }

    /// A server that shows the certificate; its port.
    func serve(_ name: String) async throws -> Int {
        let port = try ListeningPort().port
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "s_server", "-accept", "127.0.0.1:\(port)", "-cert", "\(name).pem", "-key",
            "\(name).key",
            "-quiet",
        ]
        process.currentDirectoryURL = URL(fileURLWithPath: root.path)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardInput = Pipe()
        try process.run()
        servers.append(process)
        for _ in 0..<200 {
            let open = try await root.validate(
                "tcp", ["host": .text("127.0.0.1"), "port": .whole(port)])
            if open.status == .pass { return port }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw CancellationError()
    }
}

@Suite(.enabled(if: CertificateWorkshop.isThere, "needs the program openssl"))
struct TLSCertificateTests {
    @Test func theCertificateOfAServerIsLookedAt() async throws {
        let workshop = try CertificateWorkshop()
        let root = workshop.root
        for (name, days) in [("good", 365), ("soon", 20), ("now", 3)] {
            try workshop.issue(name, days: days)
        }
        func asked(_ port: Int, _ more: [String: ParameterValue] = [:]) -> [String: ParameterValue]
        {
            [
                "host": .text("127.0.0.1"), "port": .whole(port), "name": .text("localhost"),
                "authorities": .text("/ca.pem"),
            ].merging(more) { $1 }
        }
        let good = try await workshop.serve("good")
        let soon = try await workshop.serve("soon")
        let now = try await workshop.serve("now")
        try root.place("/empty.pem", "")
        for row in [
            Row("good", asked(good), .pass, says: "1 certificates, the first to expire in 36"),
            Row("by its address", asked(good, ["name": .text("127.0.0.1")]), .pass),
            Row("soon", asked(soon), .warn, says: "days_warn, 30"),
            Row("now", asked(now), .fail, says: "days_min, 7"),
            Row("far", asked(good, ["days_warn": .whole(400)]), .warn),
            Row("another name", asked(good, ["name": .text("other.test")]), .fail, says: "not for"),
            Row(
                "not trusted", asked(good, ["authorities": .text("/good.pem")]), .fail,
                says: "not trusted"),
            Row(
                "no authorities", asked(good, ["authorities": .text("/none")]), .unknown,
                says: "no auth"),
            Row("empty ones", asked(good, ["authorities": .text("/empty.pem")]), .unknown),
            Row("no PostgreSQL", asked(good, ["protocol": .text("postgres")]), .fail),
        ] {
            try await root.expect("tls_certificate", row)
        }
        let closed = try ListeningPort().port
        try await root.expect("tls_certificate", Row("refused", asked(closed), .fail))
        let silent = try ListeningPort()
        let late = try await root.validate(
            "tls_certificate", asked(silent.port), timeout: Milliseconds(300))
        #expect(late.status == .unknown, "\(late)")
        let plain = try AnsweringPort([.init(body: "")])
        let port = Int(plain.url.split(separator: ":").last ?? "") ?? 0
        let clear = try await root.validate(
            "tls_certificate", asked(port), timeout: .seconds(5))
        #expect(clear.status == .fail || clear.status == .unknown, "\(clear)")
    }

    @Test func theCertificatesOfAFileAreLookedAt() async throws {
        let workshop = try CertificateWorkshop()
        let root = workshop.root
        try workshop.issue("good", days: 365)
        try workshop.issue("soon", days: 20)
        try root.place(
            "/broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        func asked(_ file: String, _ more: [String: ParameterValue] = [:]) -> [String:
            ParameterValue]
        {
            ["file": .text(file)].merging(more) { $1 }
        }
        for row in [
            Row("good", asked("/good.pem"), .pass),
            Row("for its name", asked("/good.pem", ["name": .text("localhost")]), .pass),
            Row("for another", asked("/good.pem", ["name": .text("x.test")]), .fail),
            Row("soon", asked("/soon.pem"), .warn),
            Row("trusted", asked("/good.pem", ["authorities": .text("/ca.pem")]), .pass),
            Row("not trusted", asked("/good.pem", ["authorities": .text("/soon.pem")]), .fail),
            Row("missing", asked("/none.pem"), .fail, says: "missing"),
            Row("broken", asked("/broken.pem"), .unknown),
            Row("no certificate", asked("/good.key"), .unknown),
        ] {
            try await root.expect("tls_certificate", row)
        }
    }
}

@Suite struct ConnectionStringTests {
    @Test(arguments: [
        ("postgres://u:p@db/x?sslmode=verify-full", CheckStatus.pass),
        ("postgresql://db/x?connect_timeout=2&sslmode=verify-ca", .pass),
        ("host=db dbname=x sslmode=require", .warn), ("host=db sslmode='prefer'", .fail),
        ("postgres://db/x", .fail), ("postgres://db/x?sslmode=disable", .fail),
        ("postgres://db/x?sslmode=verify-full&sslmode=allow", .fail),
        ("postgres://db/x?sslmode=sometimes", .unknown), ("rediss://:p@r:6379/0", .pass),
        ("redis://:p@r:6379/0", .fail), ("mongodb://x", .unknown), ("", .unknown),
    ])
    func itMustAskForTLS(text: String, status: CheckStatus) async throws {
        let root = try CheckRoot()
        let asked: [String: ParameterValue] = ["connection": .text(text)]
        try await root.expect("tls_certificate", Row(text, asked, status))
        try root.place("/env", "OTHER=1\nDB_URL=\"\(text)\"\n")
        let inFile: [String: ParameterValue] = [
            "connection_file": .text("/env"), "variable": .text("DB_URL"),
        ]
        try await root.expect("tls_certificate", Row(text, inFile, status))
    }

    @Test func itIsNeverShown() async throws {
        let root = try CheckRoot()
        for text in ["postgres://app:hunter2@db/x", "hunter2"] {
            try root.place("/dsn", text + "\n")
            for asked in [
                ["connection": ParameterValue.text(text)], ["connection_file": .text("/dsn")],
            ] {
                let result = try await root.validate("tls_certificate", asked)
                #expect(!"\(result)".contains("hunter2") && !"\(result)".contains("app:"))
            }
        }
        let none: [String: ParameterValue] = [
            "connection_file": .text("/dsn"), "variable": .text("DB_URL"),
        ]
        try await root.expect(
            "tls_certificate", Row("no variable", none, .unknown, says: "not there"))
    }
}
