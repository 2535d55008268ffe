/// Kinds of trouble that a simulated world can make.
package enum SimulatedFault: String, CaseIterable, Sendable, Codable {
    /// Agents, machines and the coordinator are killed, at writes, between effects and at any time.
    case crash
    /// Hosts are cut off, in one direction or both, long enough to break connections or not.
    case partition
    /// Connections break for no reason, and messages come twice.
    case loss
    /// Work, disks and the network take much longer.
    case slow
    /// Steps, checks, captures and restores fail; some hosts cannot run the new version.
    case failure
    /// Some hosts lose their connection again and again.
    case flap
    /// Journals cannot be written for a while.
    case disk
    /// Wall clocks are set forward and back.
    case clock
    /// Somebody presses the operator's buttons at random.
    case `operator`
    /// Hosts whose agents start only after the rollout was made.
    case late
    /// Hosts that are set up and enrolled anew under their old name.
    case replace
}

/// Faults in the machines themselves, planted by altering events and effects around them; the
/// simulation has to find each. For tests only.
package enum PlantedFault: String, CaseIterable, Sendable {
    /// The fleet's budget is counted for each wave anew.
    case budgetPerWave
    /// The limit per failure domain is not kept.
    case domainIgnored
    /// A rollback orders all hosts back at once.
    case rollbackIgnoresUnavailability
    /// The agent acts before its state is durable.
    case agentActsBeforeDurable
    /// The coordinator acts and acknowledges before its events are durable.
    case coordinatorActsBeforeDurable
    /// The agent takes orders of any generation.
    case generationNotChecked
    /// The agent forgets reports that it could not send.
    case reportDropped
    /// The guard never acts.
    case guardAsleep
    /// A host that gave no results counts as passed.
    case silenceIsPass
    /// A step that was cut off runs again in the same attempt.
    case stepRunsAgain
    /// Percentages of hosts are rounded up.
    case percentRoundedUp
    /// Hosts that vanish all at once are counted one by one.
    case massLossCounted
    /// Hosts are touched whatever the calendar says.
    case calendarIgnored
    /// A host that came back from its rehearsal is taken for unchanged without a look.
    case comparisonIgnored
    /// A host that was enrolled anew is taken for the one that it was.
    case replacementIgnored
    /// One person counts as two who approve.
    case approvedTwice
    /// A queued rollout begins while another one still has its hosts.
    case admittedEarly
    /// The agent does not know which steps cannot be taken back.
    case returnForgotten
}

/// What breaks a promise of DESIGN's section 10, or one of the simulation's own.
package struct BrokenPromise: Sendable, Hashable, Codable {
    /// `1` … `8` as in docs/reference/simulation.md, `no return`, `liveness`, `replay` or `ending`.
    package var promise: String
    /// Virtual milliseconds since the start.
    package var at: Int64
    /// What was seen.
    package var text: String
}
