import FleetWire
import Foundation
import Glibc
import HostProcesses
import Testing

@testable import HostSnapshots

@Suite("Configuration files are looked at, and no value is repeated")
struct ConfigInspectionTests {
    private let secret = "kR7-vQ2x.Lm9"

    private func spec(strict: Bool = false) throws -> ComponentSpec {
        ComponentSpec(
            name: try name("settings"), driver: .config(paths: ["/etc/app"], strict: strict),
            restart: false)
    }

    private func scratch() throws -> Scratch {
        let scratch = try Scratch()
        try Scratch.run(["mkdir", "-p", scratch.root + "/etc/app"])
        return scratch
    }

    @Test("open permissions and secrets stand as notes in the point, with lines")
    func notes() throws {
        let scratch = try scratch()
        try scratch.write("/etc/app/a.conf", "# settings\nport = 80\npassword = \(secret)\n")
        try scratch.write("/etc/app/key.pem", "-----BEGIN PRIVATE KEY-----\nMIIE\n")
        try scratch.write("/etc/app/open", "x")
        chmod(scratch.root + "/etc/app/a.conf", 0o640)
        chmod(scratch.root + "/etc/app/key.pem", 0o644)
        chmod(scratch.root + "/etc/app/open", 0o666)
        let store = try scratch.store()
        let point = try take(store, "p1", [try spec()])
        let notes = try #require(point.components.first?.notes)
        #expect(
            notes == [
                "/etc/app/a.conf:3: a secret stands in clear",
                "/etc/app/key.pem:1: a secret stands in clear",
                "/etc/app/key.pem: it holds a secret and everybody may read it (mode 644)",
                "/etc/app/open: everybody may write it (mode 666)",
            ])
        #expect(try store.list().first?.components.first?.notes == notes)
        let manifest = try String(
            contentsOfFile: scratch.path + "/points/points/p1.json", encoding: .utf8)
        #expect(!manifest.contains(secret))
    }

    @Test("with strict they refuse the capture, and the refusal keeps the secret")
    func strict() throws {
        let scratch = try scratch()
        try scratch.write("/etc/app/a.conf", "api_key: \(secret)\n")
        let store = try scratch.store()
        let error = #expect(throws: PointError.self) { try take(store, "p1", [spec(strict: true)]) }
        #expect(error?.description.contains("/etc/app/a.conf:1") == true)
        #expect(error?.description.contains(secret) == false)
        #expect(try store.list().isEmpty)
        try scratch.write("/etc/app/a.conf", "api_key: ${API_KEY}\n")
        #expect(try take(store, "p1", [spec(strict: true)]).components.first?.notes == nil)
    }

    @Test(
        "what only says where a secret comes from is none",
        arguments: [
            "${DB_PASSWORD}", "{{ vars.password }}", "/run/secrets/db", "<none>", "null",
            "%(password)s", "env:DB", "prose", "abc", "changeme",
        ])
    func references(_ value: String) {
        #expect(!SecretScan.isSecret(Array(value.utf8)))
    }

    @Test(
        "secrets are found by their look",
        arguments: ["hunter2", "kR7-vQ2x.Lm9", "qWzKxYvBnMpLkJhGfDsAeRt", "12345678"])
    func secrets(_ value: String) {
        #expect(SecretScan.isSecret(Array(value.utf8)))
    }
}
