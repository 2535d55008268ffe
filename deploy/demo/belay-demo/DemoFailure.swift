/// Why the demo cannot go on: what was attempted, and why it failed.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
