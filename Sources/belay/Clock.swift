import FleetWire
import Foundation

/// The wall clock; read at the edges and handed to what renders.
enum Clock {
    static var now: Timestamp {
        Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }
}
