import Foundation
import RegistryCore
import Testing

@Suite("Flags and configuration") struct FlagAndConfigurationTests {
    private func flags(_ variant: String) -> String {
        RegistryFixture.flags.replacingOccurrences(
            of: "\"defaultVariant\": \"on\"", with: "\"defaultVariant\": \"\(variant)\"")
    }

    @Test("Flags are read again when the file changes, and a bad file changes nothing")
    func reread() throws {
        let folder = try TestFolder()
        try folder.write(flags("off"), to: "flags.json")
        let file = try FlagFile(path: "\(folder.path)/flags.json", interval: .zero)
        #expect(!file.isOn(FlagFile.vectorizedFeatures))
        try folder.write(flags("on"), to: "flags.json")
        #expect(file.isOn(FlagFile.vectorizedFeatures))
        try folder.write("{", to: "flags.json")
        #expect(file.isOn(FlagFile.vectorizedFeatures))
        #expect(file.reading().problem != nil)
        try folder.write(flags("off"), to: "flags.json")
        #expect(!file.isOn(FlagFile.vectorizedFeatures))
        #expect(file.reading().problem == nil)
    }

    @Test(
        "Flags with an unknown state or variant are refused",
        arguments: [("ENABLED", "maybe"), ("PAUSED", "on")])
    func badFlags(state: String, variant: String) throws {
        let folder = try TestFolder()
        try folder.write(
            flags(variant).replacingOccurrences(of: "ENABLED", with: state), to: "flags.json")
        #expect(throws: RegistryProblem.self) { try FlagFile(path: "\(folder.path)/flags.json") }
    }

    @Test("All problems of a configuration are told at once, with place and nearest name")
    func problems() throws {
        let text = """
            listen:
              host: 0.0.0.0
              prot: 99
            storage:
              path: a.db
            datasets: {directory: d}
            flags: {path: f}
            log: {level: loud}
            """
        do {
            _ = try Configuration.parse(text, from: "x.yaml", for: Release(version: "1.0.0"))
            Issue.record("it was taken")
        } catch {
            let message = "\(error)"
            for part in [
                "x.yaml:3:3: unknown key listen.prot; did you mean port?", "loopback",
                "missing key listen.port", "log.level is loud",
            ] {
                #expect(message.contains(part), "\(part) is not in \(message)")
            }
        }
    }

    @Test("Neither release takes the other's configuration")
    func releases() throws {
        let first = String(decoding: try TestFolder.demo("host/registry-1.yaml"), as: UTF8.self)
            .replacingOccurrences(of: "{{ labels.port }}", with: "1")
        let second = String(decoding: try TestFolder.demo("plans/settings-2.yaml"), as: UTF8.self)
            .replacingOccurrences(of: "{{ labels.port }}", with: "1")
        let one = try Release(version: "1.0.0")
        let two = try Release(version: "2.0.0")
        #expect(try Configuration.parse(first, from: "/e/x", for: one).databasePath.hasPrefix("/"))
        #expect(try Configuration.parse(second, from: "/e/x", for: two).pool == 2)
        #expect(throws: RegistryProblem.self) {
            try Configuration.parse(first, from: "/e/x", for: two)
        }
        #expect(throws: RegistryProblem.self) {
            try Configuration.parse(second, from: "/e/x", for: one)
        }
    }

    @Test("Only versions that this build has code for are releases")
    func versions() throws {
        #expect(try Release(version: "2.0.7").schema == 2)
        for version in ["3.0.0", "2.2.0", "1", "x.y.z", ""] {
            #expect(throws: RegistryProblem.self) { try Release(version: version) }
        }
    }

    @Test("Metrics count answers and errors by endpoint")
    func metrics() throws {
        let metrics = ServiceMetrics()
        metrics.count(endpoint: "GET /x", status: 200, took: .milliseconds(3))
        metrics.count(endpoint: "GET /x", status: 500, took: .milliseconds(30))
        let text = metrics.text(release: try Release(version: "1.0.0"))
        #expect(text.contains("registry_requests_total{endpoint=\"GET /x\",status=\"200\"} 1"))
        #expect(text.contains("registry_errors_total{endpoint=\"GET /x\"} 1"))
        #expect(
            text.contains(
                "registry_request_duration_seconds_bucket{endpoint=\"GET /x\",le=\"0.005\"} 1"))
    }
}
