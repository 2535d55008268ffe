/// Random numbers that one seed gives again on every machine: SplitMix64, with the constants of
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    /// Streams of different numbers under one seed have nothing to do with each other.
    init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        let mixed = next()
        state = mixed ^ (stream &* 0xD134_2543_DE82_EF95)
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not with, `end`; the bias is below end / 2^64.
    mutating func below(_ end: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(end)).high)
    }
}
