extension UInt64 {
    /// The sum, or the largest number if it is larger: what a forged catalogue claims, or sparse
    /// files together, may exceed all bounds, and then too much is wanted rather than too little.
    func saturating(_ other: UInt64) -> UInt64 {
        let (sum, isOver) = addingReportingOverflow(other)
        return isOver ? .max : sum
    }
}
