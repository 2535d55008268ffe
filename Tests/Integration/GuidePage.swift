import Foundation

/// A guide, read for what can be run: its ```` ```sh ```` blocks and the files that it shows.
///
/// Comments right above a block say what a test does with it; without one a `sh` block is run as it
/// stands and must exit 0.
///
///     <!-- on HOST -->           run on this host: belay-agent works below the host's folder
///     <!-- exit N -->            the block must end with N
///     <!-- types: TEXT -->       run on a terminal at which somebody types TEXT
///     <!-- stands for: ACTION -->   not run; the test does ACTION instead, see `GuideFleet`
///     <!-- not run: REASON -->   cannot run in a test
///     <!-- file: NAME -->        above any other block: written to this file, as a reader would
struct GuidePage {
    /// One block.
    struct Block {
        enum Kind: Equatable {
            case run(host: String?, exit: Int32, types: String?)
            case action(String)
            case file(String)
            case skipped(reason: String)
        }
        var kind: Kind
        var text: String
        /// `FILE:LINE`, for failures.
        var place: String
    }

    /// What is wrong with a page.
    struct Malformed: Error, CustomStringConvertible { let description: String }

    let blocks: [Block]

    init(path: String, named name: String) throws {
        try self.init(text: try String(contentsOfFile: path, encoding: .utf8), named: name)
    }

    init(text: String, named name: String) throws {
        var blocks: [Block] = []
        var notes: [String] = []
        var open: (language: String, lines: [String], line: Int)?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            if let block = open {
                guard line == "```" else {
                    open?.lines.append(String(line))
                    continue
                }
                open = nil
                let place = "\(name):\(block.line)"
                if let kind = try Self.kind(block.language, notes, place) {
                    blocks.append(
                        Block(
                            kind: kind, text: block.lines.joined(separator: "\n") + "\n",
                            place: place))
                }
                notes = []
            } else if line.hasPrefix("```") {
                open = (String(line.dropFirst(3)), [], index + 1)
            } else if line.hasPrefix("<!-- "), line.hasSuffix(" -->") {
                notes.append(String(line.dropFirst(5).dropLast(4)))
            } else if !line.isEmpty {
                notes = []
            }
        }
        guard open == nil else { throw Malformed(description: "\(name): a block has no end") }
        self.blocks = blocks
    }

    private static func kind(
        _ language: String, _ notes: [String], _ place: String
    ) throws -> Block.Kind? {
        var host: String?
        var status: Int32 = 0
        var types: String?
        for note in notes {
            if let reason = note.after("not run: ") { return .skipped(reason: reason) }
            if let action = note.after("stands for: ") { return .action(action) }
            if let file = note.after("file: ") { return .file(file) }
            if let name = note.after("on ") {
                host = name
            } else if let text = note.after("exit "), let number = Int32(text) {
                status = number
            } else if let text = note.after("types: ") {
                types = text
            } else {
                throw Malformed(description: "\(place): what does \"\(note)\" mean?")
            }
        }
        guard language == "sh" else { return nil }
        return .run(host: host, exit: status, types: types)
    }
}

extension String {
    /// What comes after `prefix`; nil if the text does not begin with it or nothing follows.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) && count > prefix.count ? String(dropFirst(prefix.count)) : nil
    }
}
