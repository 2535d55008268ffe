/// What a machine knows of a time zone's name.
package enum ZoneVerdict: Sendable, Hashable {
    case known
    /// No zone has the name; the zones that have one.
    case unknown(known: [String])
    /// The machine cannot tell; why.
    case unreadable(String)
}

/// Asks a machine for a time zone; plans are read on machines that have no zones too, so whoever
/// checks a plan says whether and whom to ask.
package typealias ZoneLookup = @Sendable (_ name: String) -> ZoneVerdict
