import Foundation

/// One of the process's standard streams.
struct Console: Sendable {
    let descriptor: Int32
    let isTerminal: Bool
    let style: Style

    /// Data.
    static let output = Console(descriptor: 1)
    /// Progress, questions and errors.
    static let error = Console(descriptor: 2)

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        isTerminal = isatty(descriptor) == 1
        style = Style(isTerminal: isTerminal, environment: ProcessInfo.processInfo.environment)
    }

    func write(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Foundation.write(descriptor, buffer.baseAddress! + sent, buffer.count - sent)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EPIPE { Self.endAsOthersDo() }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// A reader that went away has seen what it wanted. The network's library ignores SIGPIPE, which
    /// would keep `belay events --follow | head` running.
    private static func endAsOthersDo() {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
    }

    func line(_ text: String) { write(text + "\n") }

    func lines(_ lines: [String]) { write(lines.map { $0 + "\n" }.joined()) }

    /// Columns and rows; nil where there is no terminal.
    var size: (width: Int, height: Int)? {
        guard isTerminal else { return nil }
        var window = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0 else {
            return (80, 24)
        }
        return (Int(window.ws_col), max(5, Int(window.ws_row)))
    }
}
