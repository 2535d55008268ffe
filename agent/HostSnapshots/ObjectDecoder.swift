import CZstd

/// Expands and hashes the bytes of objects, with contexts that serve for many of them: for a small
/// object new ones cost as much as the work. Of one thread.
final class ObjectDecoder {
    private let context = ZSTD_createDCtx()
    private let hasher = ObjectHasher()

    deinit { ZSTD_freeDCtx(context) }

    /// The bytes that `stored` holds compressed; fewer than `count` if they are damaged.
    func expand(_ stored: [UInt8], _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, filled in
            let done = ZSTD_decompressDCtx(
                context, room.baseAddress, count, stored, stored.count)
            filled = ZSTD_isError(done) == 0 ? Int(done) : 0
        }
    }

    func hash(_ bytes: [UInt8]) -> ObjectID { bytes.withUnsafeBytes { hasher.hash($0) } }
}
