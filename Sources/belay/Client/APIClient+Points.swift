import AsyncHTTPClient
import FleetWire
import Foundation
import NIOCore
import NIOHTTP1
import OperatorAPI

extension APIClient {
    /// Sends a request to many hosts and gives each line of the answer as it comes.
    func answers<Answer: Decodable>(
        _ path: Path, _ wanted: some Encodable, to attempt: String,
        each: (Answer) throws -> Void
    ) async throws {
        let body = ByteBuffer(bytes: try WireJSON.encode(wanted))
        let response = try await answer(
            .POST, path, body: .bytes(body), to: attempt, within: Limits.answer)
        do {
            guard (200..<300).contains(response.status.code) else {
                let content = try await response.body.collect(upTo: Limits.lineBytesMax)
                throw refusal(attempt, response.status, Array(buffer: content))
            }
            var line: [UInt8] = []
            for try await chunk in response.body {
                for byte in chunk.readableBytesView {
                    if byte != UInt8(ascii: "\n") {
                        line.append(byte)
                        continue
                    }
                    if !line.isEmpty { try each(decode(line, attempt)) }
                    line.removeAll(keepingCapacity: true)
                }
                guard line.count <= Limits.lineBytesMax else {
                    throw CommandFailure(.error, "\(attempt): an answer is too long")
                }
            }
        } catch let error where !(error is CancellationError || error is CommandFailure) {
            throw ConnectionFailure.failure(
                attempt: attempt, configuration: configuration, error: error)
        }
    }

    /// Asks a host for the lines that its answer had no room for, until it has no more.
    func rest(
        of answer: inout PointAnswer, _ wanted: FleetPointRequest, _ path: Path, to attempt: String
    ) async throws {
        var wanted = wanted
        wanted.selection = HostSelection(hosts: [answer.host])
        while let reply = answer.reply, let more = reply.more, more > 0 {
            let lines = Self.lines(of: reply)
            wanted.request.skip = lines
            var pages: [PointAnswer] = []
            try await answers(path, wanted, to: attempt) { (page: PointAnswer) in
                pages.append(page)
            }
            guard let page = pages.first?.reply, Self.lines(of: page) > 0 else { return }
            answer.reply?.entries?.append(contentsOf: page.entries ?? [])
            answer.reply?.damaged?.append(contentsOf: page.damaged ?? [])
            answer.reply?.changes?.append(contentsOf: page.changes ?? [])
            answer.reply?.more = page.more
        }
    }

    private static func lines(of reply: PointReply) -> Int {
        max(reply.entries?.count ?? 0, reply.damaged?.count ?? 0, reply.changes?.count ?? 0)
    }
}
