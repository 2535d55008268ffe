import FleetWire

extension PlanBuilder {
    func strategy(_ value: PlacedValue?) -> Plan.Strategy {
        let parallel = value?["max_parallel"]?.count ?? .number(1)
        return Plan.Strategy(
            waves: (value?["waves"]?.list ?? []).map(wave), parallelMax: parallel,
            unavailableMax: value?["max_unavailable"]?.count ?? parallel,
            domain: value?["domain"]?.text,
            unavailablePerDomainMax: value?["max_unavailable_per_domain"]?.count,
            pace: RolloutPace(
                progressDeadline: value?["progress_deadline"]?.span,
                healthyDeadline: value?["healthy_deadline"]?.span,
                calendar: value?["windows"].map(calendar),
                rehearses: value?["rehearse"]?.boolean ?? false),
            absence: AbsencePolicy(
                late: value?["late"]?.text.flatMap(AbsencePolicy.Late.init) ?? .wait,
                converges: value?["converge"]?.boolean ?? false,
                massLossPercent: value?["mass_loss"]?.integer
                    ?? AbsencePolicy().massLossPercent))
    }

    func returning(_ value: PlacedValue) -> Plan.Returning {
        let rollback = value["rollback"]
        var compatible: [String: [ComponentName]] = [:]
        for entry in value["components"]?.entries ?? [] {
            guard let names = entry.value["compatible_with"] else { continue }
            compatible[entry.key] = names.texts.map { ComponentName(unchecked: $0) }
        }
        return Plan.Returning(
            pointOfNoReturn: rollback?["point_of_no_return"].map(approval),
            compatibleWith: compatible, quarantineFor: rollback?["quarantine_for"]?.span)
    }

    private func calendar(_ value: PlacedValue) -> WorkCalendar {
        WorkCalendar(
            zone: value["zone"]?.text ?? "",
            windows: (value["open"]?.list ?? []).map { window in
                let days = window["days"]?.list.flatMap(\.days)
                return WorkCalendar.WeeklyWindow(
                    days: days.map { Set($0).sorted() } ?? Array(1...7),
                    from: window["from"]?.integer ?? 0, to: window["to"]?.integer ?? 0)
            },
            freezes: (value["freeze"]?.list ?? []).map { freeze in
                WorkCalendar.Freeze(
                    name: freeze["name"]?.text ?? "", from: freeze["from"]?.text ?? "",
                    to: freeze["to"]?.text ?? "")
            })
    }

    private func wave(_ value: PlacedValue) -> Plan.Wave {
        Plan.Wave(
            name: value["name"]?.text ?? "",
            size: value["count"]?.count ?? value["percent"]?.integer.map { .percent($0) },
            selector: value["selector"]?.text, hosts: hosts(value["hosts"]),
            soak: value["soak"]?.span ?? .zero, gates: (value["gates"]?.list ?? []).map(gate),
            cover: value["cover"]?.texts,
            growth: value["grow"].map { grow in
                WaveGrowth(
                    from: grow["from"]?.integer ?? 1, factor: grow["factor"]?.integer ?? 2)
            })
    }

    private func gate(_ value: PlacedValue) -> ResolvedGate {
        ResolvedGate(
            name: value["name"]?.text ?? "", probe: probe(value),
            every: value["every"]?.span ?? ResolvedGate.everyDefault,
            inconclusiveFor: value["inconclusive_for"]?.span ?? ResolvedGate.inconclusiveForDefault,
            onNoData: value["on_no_data"]?.text.flatMap(ResolvedGate.NoData.init) ?? .inconclusive)
    }

    private func probe(_ value: PlacedValue) -> GateProbe {
        if let rule = value["metric"] { return .metric(metric(rule)) }
        if let rule = value["webhook"] {
            return .webhook(
                WebhookRule(
                    url: rule["url"]?.text ?? "", headers: rule["headers"]?.textsByName ?? [:],
                    timeout: rule["timeout"]?.span ?? .seconds(10)))
        }
        if let rule = value["prometheus"] {
            let (comparison, limit) = limit(rule)
            return .prometheus(
                PrometheusRule(
                    url: rule["url"]?.text ?? "", query: rule["query"]?.text ?? "",
                    comparison: comparison, limit: limit,
                    samplesMin: rule["samples"]?.integer ?? 1,
                    timeout: rule["timeout"]?.span ?? .seconds(10),
                    headers: rule["headers"]?.textsByName ?? [:]))
        }
        if let rule = value["approval"] { return .approval(approval(rule)) }
        if value["manual"]?.boolean == true { return .approval(ApprovalRule()) }
        return .checks((value["checks"]?.list ?? []).map(check))
    }

    private func metric(_ value: PlacedValue) -> MetricRule {
        let (comparison, limit) = limit(value)
        return MetricRule(
            metric: value["name"]?.text ?? "",
            aggregate: value["aggregate"]?.text.flatMap(MetricRule.Aggregate.init) ?? .mean,
            comparison: comparison, limit: limit, window: value["window"]?.span ?? .seconds(300),
            samplesMin: value["samples"]?.integer ?? 1)
    }

    private func approval(_ value: PlacedValue) -> ApprovalRule {
        ApprovalRule(
            persons: value["persons"]?.integer ?? 1, expires: value["expires"]?.span)
    }

    private func limit(_ value: PlacedValue) -> (Comparison, Double) {
        for (key, comparison) in zip(PlanShape.limits, Comparison.allCases) {
            if let number = value[key]?.number { return (comparison, number) }
        }
        return (.below, 0)
    }
}
