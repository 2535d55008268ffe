import CLinux
import Glibc

/// Who shows how far reading is, also within a file.
struct ReadWatch {
    /// Bytes that were read of what was not given on yet.
    let ahead: ByteTally
    /// Called now and then on the thread that walks, also while it waits for others.
    let tick: () -> Void
}

/// Takes the entries of a walk and gives them on in the same order, each encoded: what must be read
/// is read by several threads meanwhile.
final class EntryPipeline: WalkSink {
    /// Batches that are held at most, so that memory does not grow with the tree.
    private static let batchesMax = 32
    private let queue = BatchQueue()
    private let own: ContentReader
    private let others: [ContentReader]
    private let push: (EntryBatch) throws -> Void
    private let watch: ReadWatch?
    private var workers: [Worker] = []
    private var filling = EntryBatch()
    private var spare: [EntryBatch] = []
    private let now = wallClockNanoseconds()

    /// `others` are the readers of further threads, none for a walk in one order. `push` is called
    /// on the caller's thread, with batches whose entries are all encoded.
    init(
        own: ContentReader, others: [ContentReader], watch: ReadWatch? = nil,
        push: @escaping (EntryBatch) throws -> Void
    ) {
        if let watch {
            own.onRead = {
                watch.ahead.add($0)
                watch.tick()
            }
            for other in others { other.onRead = watch.ahead.add }
        }
        self.watch = watch
        self.own = own
        self.others = others
        self.push = push
    }

    func add(known entry: UnsafeRawBufferPointer, _ ordinal: Int, _ status: FileStatus) throws {
        filling.add(known: entry, ordinal, status, isSettled: true)
        if filling.isFull { try seal() }
    }

    func add(_ entry: Entry, _ status: FileStatus?) throws {
        entry.encoded().withUnsafeBytes {
            filling.add(
                known: $0, nil, status, isSettled: status.map { $0.isSettled(at: now) } ?? false)
        }
        if filling.isFull { try seal() }
    }

    func add(
        file status: FileStatus, nameCount: Int, in folder: Descriptor, path: [UInt8]
    ) throws {
        filling.add(file: status, nameCount: nameCount, in: folder, path: path)
        if filling.isFull { try seal() }
    }

    /// Gives on all that was added. Must be called, with or without an error, before it goes away.
    func finish() throws {
        do {
            try seal()
            while queue.count > 0 { try makeRoom() }
        } catch {
            stop()
            throw error
        }
        stop()
    }

    /// Ends its threads without giving on what is left.
    func stop() {
        queue.stop()
        for worker in workers { worker.join() }
        workers = []
    }

    private func seal() throws {
        guard !filling.rows.isEmpty else { return }
        if others.isEmpty || (filling.pendings.isEmpty && queue.count == 0) {
            try filling.complete(own)
            try pass(filling)
            return filling.clear()
        }
        start()
        queue.put(filling)
        filling = spare.popLast() ?? EntryBatch()
        while let batch = try queue.takeFirst(waiting: false) { try giveOn(batch) }
        while queue.count >= Self.batchesMax { try makeRoom() }
    }

    /// From now on it is counted by who is given it.
    private func pass(_ batch: EntryBatch) throws {
        watch?.ahead.add(-batch.read)
        try push(batch)
    }

    private func giveOn(_ batch: EntryBatch) throws {
        try pass(batch)
        batch.clear()
        spare.append(batch)
    }

    /// Reads a batch that waits, or waits for the oldest; then gives on what is done.
    private func makeRoom() throws {
        if let (batch, number) = queue.takeSmall() {
            Self.complete(batch, number, own, queue)
        } else if let batch = try queue.takeFirst(waiting: true, watch?.tick ?? {}) {
            try giveOn(batch)
        }
        while let batch = try queue.takeFirst(waiting: false) { try giveOn(batch) }
    }

    /// Threads are started when there is something to read: a walk of what is known needs none.
    private func start() {
        guard workers.isEmpty else { return }
        for reader in others {
            let worker = Worker { [queue] in
                while let (batch, number) = queue.take() {
                    Self.complete(batch, number, reader, queue)
                }
            }
            if let worker { workers.append(worker) }
        }
    }

    private static func complete(
        _ batch: EntryBatch, _ number: Int, _ reader: ContentReader, _ queue: BatchQueue
    ) {
        do {
            try batch.complete(reader)
            queue.giveBack(number, nil)
        } catch {
            queue.giveBack(number, error)
        }
    }
}
