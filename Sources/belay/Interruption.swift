import Dispatch
import Foundation

/// Ctrl-C and termination as something to wait for, where stopping at once would say nothing.
enum Interruption {
    /// Gives one element a signal; while it is awaited the signals do not end the process.
    static func signals() -> AsyncStream<Int32> {
        AsyncStream { continuation in
            let sources = [SIGINT, SIGTERM].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number)
                source.setEventHandler { continuation.yield(number) }
                source.resume()
                return source
            }
            let held = Sources(sources)
            continuation.onTermination = { _ in held.cancel() }
        }
    }

    /// Proof for `@unchecked`: dispatch sources may be cancelled from any thread, and nothing else
    /// is done with them.
    private struct Sources: @unchecked Sendable {
        private let sources: [any DispatchSourceSignal]
        init(_ sources: [any DispatchSourceSignal]) { self.sources = sources }
        func cancel() {
            for source in sources { source.cancel() }
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
        }
    }
}
