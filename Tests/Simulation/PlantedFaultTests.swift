import FleetSimulation
import Testing

/// A simulation that finds nothing must be able to find something.
@Suite("Planted faults")
struct PlantedFaultTests {
    @Test("Each planted fault is found within 2000 seeds", arguments: PlantedFault.allCases)
    func faultIsFound(_ fault: PlantedFault) {
        let found = (UInt64(0)..<2000).first { seed in
            var run = SimulatedRun(
                .random(seed: seed, planted: fault), seed: seed)
            return !run.run().broken.isEmpty
        }
        #expect(found != nil, "nothing noticed \(fault.rawValue)")
    }
}
