package import FleetWire

/// All that is known of a validator before it runs: who may ask for it, with which parameters.
package struct ValidatorSpec: Sendable {
    /// What it is about; the reference is ordered by this.
    package enum Category: String, Sendable, Hashable, CaseIterable {
        case system, configuration, flags, storage, data, compatibility, performance, security
        case network, service, custom
    }

    /// What one result speaks of.
    package enum Scope: String, Sendable, Hashable { case host, fleet }

    /// A rule over several parameters.
    package enum Rule: Sendable, Hashable {
        /// Exactly one of these; `what` they all are, `a program`.
        case exactlyOne([String], what: String)
        /// One of these or more: without it the check could not fail.
        case atLeastOne([String])
        /// None or one of these.
        case atMostOne([String])
        /// If both were given, the first is not above the second; a default never breaks this.
        case ascending(String, String)
        /// A list of checks with weights, which has one and of which each can be run.
        case weightedChecks(String)
    }

    /// Its name in plans, snake_case.
    package var id: String
    /// What it is about.
    package var category: Category
    /// One line: what passes.
    package var summary: String
    /// The level of a check that names none.
    package var level: CheckLevel = .critical
    /// What one result speaks of.
    package var scope: Scope = .host
    /// The stages in which it makes sense; gates take all.
    package var stages: [Stage] = Stage.allCases
    /// True if it changes nothing; false if it writes into a scratch place and cleans up.
    package var isReadOnly = true
    /// In the order of the reference.
    package var parameters: [ValidatorParameter]
    /// Rules over several of them.
    package var rules: [Rule] = []
    /// When it warns, and when it is not applicable; for the reference.
    package var notes: String = ""

    /// The parameter `name`.
    package func parameter(_ name: String) -> ValidatorParameter? {
        parameters.first { $0.name == name }
    }

    /// The parameters that a host's configuration file may set.
    package var thresholds: [ValidatorParameter] { parameters.filter { $0.threshold != nil } }

    /// What `given` asks, with defaults filled in.
    package func call(_ given: [String: ParameterValue]) -> ValidatorCall {
        var call = ValidatorCall(id: id, parameters: given)
        for parameter in parameters where given[parameter.name] == nil {
            guard let standard = parameter.standard else { continue }
            call.parameters[parameter.name] = standard
            call.origins[parameter.name] = .standard
        }
        return call
    }

    /// `call` with what the host's configuration says: it wins over defaults, the plan over it.
    package func call(_ call: ValidatorCall, configured: [String: ParameterValue]) -> ValidatorCall
    {
        var call = call
        for (name, value) in configured
        where call.parameters[name] == nil || call.origin(of: name) == .standard {
            call.parameters[name] = value
            call.origins[name] = .configuration
        }
        return call
    }

    /// The thresholds, and what the plan did not give, in the order of the reference.
    package func shown(_ call: ValidatorCall) -> [ShownParameter] {
        parameters.compactMap { parameter in
            guard let value = call.parameters[parameter.name] else { return nil }
            let origin = call.origin(of: parameter.name)
            guard parameter.threshold != nil || origin != .plan else { return nil }
            return ShownParameter(
                name: parameter.name, value: parameter.type.shown(value), origin: origin)
        }
    }

    /// What is wrong with `call`: unknown and missing parameters, wrong types, rules that do not
    /// hold; empty if it can be run.
    package func problems(of call: ValidatorCall) -> [CallProblem] {
        var problems: [CallProblem] = []
        for (name, value) in call.parameters.sorted(by: { $0.key < $1.key }) {
            guard let parameter = parameter(name) else {
                problems.append(
                    CallProblem(parameter: name, reason: "`\(id)` has no parameter `\(name)`"))
                continue
            }
            if !parameter.type.takes(value) {
                problems.append(
                    CallProblem(parameter: name, reason: "`\(name)` is no \(parameter.type.name)"))
            }
        }
        for parameter in parameters
        where parameter.isRequired && call.parameters[parameter.name] == nil {
            problems.append(
                CallProblem(parameter: nil, reason: "`\(id)` needs `\(parameter.name)`"))
        }
        return problems + rules.compactMap { broken($0, call) }
    }

    private func broken(_ rule: Rule, _ call: ValidatorCall) -> CallProblem? {
        func given(_ names: [String]) -> [String] {
            names.filter { call.parameters[$0] != nil }
        }
        func list(_ names: [String]) -> String {
            names.map { "`\($0)`" }.joined(separator: ", ")
        }
        switch rule {
        case .exactlyOne(let names, _) where given(names).count != 1:
            return CallProblem(
                parameter: given(names).last, reason: "`\(id)` needs exactly one of \(list(names))")
        case .atLeastOne(let names) where given(names).isEmpty:
            return CallProblem(
                parameter: nil,
                reason: "`\(id)` needs at least one of \(list(names)); without it nothing is asked")
        case .atMostOne(let names) where given(names).count > 1:
            return CallProblem(
                parameter: given(names).last, reason: "`\(id)` takes only one of \(list(names))")
        case .ascending(let low, let high):
            guard let bottom = call.parameters[low]?.number,
                let top = call.parameters[high]?.number, bottom > top,
                call.origin(of: low) != .standard, call.origin(of: high) != .standard
            else { return nil }
            return CallProblem(
                parameter: call.origin(of: low) == .plan ? low : high,
                reason: "`\(low)` must not be above `\(high)`")
        case .weightedChecks(let name):
            guard let value = call.parameters[name] else { return nil }
            let problems = WeightedChecks(value).problems
            guard !problems.isEmpty else { return nil }
            return CallProblem(
                parameter: name, reason: "`\(name)`: " + problems.joined(separator: "; "))
        case .exactlyOne, .atLeastOne, .atMostOne: return nil
        }
    }
}

/// One thing that is wrong with a call.
package struct CallProblem: Sendable, Hashable {
    /// The parameter; nil if the whole call is meant.
    package var parameter: String?
    /// One sentence.
    package var reason: String
}
