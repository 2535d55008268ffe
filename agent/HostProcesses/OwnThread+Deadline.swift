package import FleetWire
import Synchronization

extension OwnThread {
    /// Takes the first of an answer and the end of waiting for it.
    private final class FirstAnswer<Value: Sendable>: Sendable {
        private enum State {
            case empty
            case waited(CheckedContinuation<Value?, Never>)
            case answered(Value?)
            case taken
        }
        private let state = Mutex<State>(.empty)

        func give(_ value: Value?) {
            let waiter: CheckedContinuation<Value?, Never>? = state.withLock { state in
                switch state {
                case .empty: state = .answered(value)
                case .waited(let continuation):
                    state = .taken
                    return continuation
                case .answered, .taken: break
                }
                return nil
            }
            waiter?.resume(returning: value)
        }

        func take() async -> Value? {
            await withCheckedContinuation { continuation in
                let ready: Value?? = state.withLock { state in
                    if case .answered(let value) = state {
                        state = .taken
                        return .some(value)
                    }
                    state = .waited(continuation)
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        }
    }

    /// Runs `body` on a new thread and waits for at most `span`; nil after it, or when the task is
    /// cancelled. The thread then sees its cancellation; if it hangs in the kernel it is left
    /// behind and its answer is dropped.
    package static func run<Value: Sendable>(
        within span: Milliseconds, _ body: @escaping @Sendable (Cancellation) -> Value
    ) async -> Value? {
        let answer = FirstAnswer<Value>()
        let cancellation = Cancellation()
        start(Work { answer.give(body(cancellation)) })
        return await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try? await Task.sleep(for: span.duration)
                cancellation.cancel()
                answer.give(nil)
            }
            let value = await answer.take()
            tasks.cancelAll()
            return value
        }
    }
}
