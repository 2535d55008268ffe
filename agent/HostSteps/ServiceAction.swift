import FleetWire
import HostSnapshots

/// The step `service`.
struct ServiceAction: Sendable {
    let services: any ServiceControlling
    let plan: HostPlan

    func control(_ name: ComponentName) throws(StepFailure) -> ServiceControl {
        for component in plan.components where component.name == name {
            if case .service(let control) = component.driver { return control }
            throw StepFailure("component \(name) is no service but \(component.driver.name)")
        }
        throw StepFailure("the plan has no component \(name)")
    }

    func run(_ action: ServiceStep) throws -> String {
        let control = try control(action.component)
        switch action.verb {
        case .start:
            try services.start(control)
            return "\(action.component) runs"
        case .stop:
            try services.stop(control)
            return "\(action.component) is stopped"
        case .restart:
            try services.stop(control)
            try services.start(control)
            return "\(action.component) was restarted and runs"
        }
    }
}
