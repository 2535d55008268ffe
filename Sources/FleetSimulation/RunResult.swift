package import FleetWire
package import RolloutCore

/// How one simulated run ended.
package struct RunResult: Sendable, Hashable, Codable {
    /// The seed that gives it again.
    package var seed: UInt64
    /// Where the rollout stood.
    package var state: RolloutState
    /// Why, one sentence.
    package var reason: String
    /// The most hosts whose service was down at once.
    package var worstUnavailable: Int
    /// How many the plan allows, in the world's own arithmetic.
    package var unavailableMax: Int
    /// True if somebody lifted that limit with `--fast`.
    package var isLimitLifted: Bool
    /// The most that were down at once in one failure domain.
    package var worstInDomain: Int
    /// From the moment that the rollout was made to its end; nil if it did not end.
    package var took: Milliseconds?
    /// How long each restore took.
    package var restores: [Milliseconds]
    /// What was broken; empty in a good run.
    package var broken: [BrokenPromise]
    /// Occurrences of the world.
    package var occurrences: Int
    /// The run line by line, if it was recorded.
    package var trace: [String]
    /// Lines of the run that are not in `trace`, because it was full.
    package var linesLeftOut: Int
    /// When each host came to which state, if the run is to be drawn.
    package var timeline: RunTimeline?
}

/// What many runs have in common.
package struct RunSummary: Sendable, Hashable, Codable {
    /// Runs.
    package var runs = 0
    /// Runs by the state in which they ended, keys sorted when printed.
    package var outcomes: [String: Int] = [:]
    /// The most hosts down at once in any run, and the seed.
    package var worstUnavailable = 0
    /// How many the plan of that run allows.
    package var worstUnavailableMax = 0
    /// True if somebody lifted the limit of that run with `--fast`.
    package var worstIsUnlimited = false
    /// The seed of that run.
    package var worstSeed: UInt64?
    /// Median and 95th percentile of the time to the end of a rollout that succeeded.
    package var complete: Spread?
    /// Of the time of one restore.
    package var restore: Spread?
    /// Runs that broke a promise.
    package var broken: [Broken] = []
    private var completes: [Milliseconds] = []
    private var restores: [Milliseconds] = []

    private enum CodingKeys: String, CodingKey {
        case runs, outcomes, worstUnavailable, worstUnavailableMax, worstIsUnlimited, worstSeed
        case complete, restore, broken
    }

    /// A median and a 95th percentile.
    package struct Spread: Sendable, Hashable, Codable {
        /// Half took no longer.
        package var median: Milliseconds
        /// 19 of 20 took no longer.
        package var p95: Milliseconds

        /// The spread of `spans`, each of which is one that occurred (nearest rank); nil if there
        /// are none.
        package init?(of spans: [Milliseconds]) {
            guard !spans.isEmpty else { return nil }
            let sorted = spans.sorted()
            func rank(_ percent: Int) -> Int { (sorted.count * percent + 99) / 100 - 1 }
            median = sorted[rank(50)]
            p95 = sorted[rank(95)]
        }
    }

    /// One run that broke promises.
    package struct Broken: Sendable, Hashable, Codable {
        /// Replays it.
        package var seed: UInt64
        /// What was broken, in the order in which it was seen.
        package var promises: [BrokenPromise]
    }

    /// No runs yet.
    package init() {}

    /// Adds one run.
    package mutating func add(_ result: RunResult) {
        runs += 1
        outcomes[result.state.rawValue, default: 0] += 1
        if worstSeed == nil || result.worstUnavailable > worstUnavailable {
            worstUnavailable = result.worstUnavailable
            worstUnavailableMax = result.unavailableMax
            worstIsUnlimited = result.isLimitLifted
            worstSeed = result.seed
        }
        if result.state == .succeeded, let took = result.took { completes.append(took) }
        restores += result.restores
        if !result.broken.isEmpty {
            broken.append(Broken(seed: result.seed, promises: result.broken))
        }
    }

    /// Works out the spreads; call it once all runs are in.
    package mutating func finish() {
        complete = Spread(of: completes)
        restore = Spread(of: restores)
    }
}
