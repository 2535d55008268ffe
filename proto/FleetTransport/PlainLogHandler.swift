package import Logging
import FleetWire

/// Writes one line an event to standard error, whatever the texts hold that came from outside.
package struct PlainLogHandler: LogHandler {
    private var lines: StreamLogHandler

    /// A handler for a logger of this label.
    package init(label: String) { lines = StreamLogHandler.standardError(label: label) }

    /// See `LogHandler`.
    package var logLevel: Logger.Level {
        get { lines.logLevel }
        set { lines.logLevel = newValue }
    }

    /// See `LogHandler`.
    package var metadata: Logger.Metadata {
        get { lines.metadata }
        set { lines.metadata = Self.plain(newValue) }
    }

    /// See `LogHandler`.
    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { lines[metadataKey: key] }
        set { lines[metadataKey: key] = newValue.map { .string(PlainText.line("\($0)")) } }
    }

    /// See `LogHandler`.
    package func log(event: LogEvent) {
        var event = event
        event.message = "\(PlainText.line(event.message.description))"
        event.metadata = event.metadata.map(Self.plain)
        lines.log(event: event)
    }

    private static func plain(_ metadata: Logger.Metadata) -> Logger.Metadata {
        metadata.mapValues { .string(PlainText.line("\($0)")) }
    }
}
