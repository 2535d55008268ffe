package import FleetWire
package import HostProcesses

/// What steps put beside the files that they replace, under fixed names, and take away again: it
/// stays when the agent is killed in between.
package struct StepLeftovers: Sendable {
    let place: StepPlace

    /// Those of a plan's steps on a host whose paths lie below `root`.
    package init(root: String, context: TemplateContext) {
        place = StepPlace(root: root, context: context)
    }

    static func beside(_ path: String) -> String { path + ".belay-new" }
    /// Where an artifact is unpacked.
    static func folder(_ destination: String) -> String { destination + ".new-belay" }
    /// An artifact's archive without its gzip.
    static func archive(_ destination: String) -> String { destination + ".new-belay.tar" }

    /// Removes them all. Only while no step runs; what cannot be removed stays, for it lies beside
    /// the components and hinders nothing.
    package func remove(of plan: HostPlan) {
        for path in plan.stages.flatMap(\.steps).flatMap({ paths($0.action) }) {
            try? HostFile.remove(path)
        }
    }

    private func paths(_ action: StepAction) -> [String] {
        switch action {
        case .artifact(let step):
            let destination = try? place.path(step.destination)
            let link = step.link.flatMap { try? place.path($0) }
            return [
                destination.map(Self.folder), destination.map(Self.archive), link.map(Self.beside),
            ].compactMap(\.self)
        case .config(let step): return besides(step.path)
        case .flags(let step): return besides(step.path)
        case .run, .wait, .service, .sqlite, .unknown: return []
        }
    }

    private func besides(_ path: String) -> [String] {
        (try? place.path(path)).map { [Self.beside($0)] } ?? []
    }
}
