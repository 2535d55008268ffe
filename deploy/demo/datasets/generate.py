#!/usr/bin/env python3
"""Writes the demo's datasets, the same bytes every time; run it in this folder."""
import csv
import math
import random

RANDOM = random.Random(20240607)
STATIONS = ["Aberfeldy", "Braemar", "Cape Wrath", "Dyce", "Eskdalemuir", "Fair Isle"]
SPECIES = ["kittiwake", "puffin", "razorbill", "guillemot"]
PRODUCTS = ["rope", "harness", "carabiner", "belay device", "helmet", "chalk"]


def write(name, header, rows):
    with open(name + ".csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def weather():
    for day in range(240):
        for number, station in enumerate(STATIONS):
            season = -math.cos(2 * math.pi * (day + 10) / 365)
            mean = 8.5 + 6.2 * season - 0.7 * number + RANDOM.gauss(0, 1.9)
            rain = 0 if RANDOM.random() < 0.42 else round(RANDOM.expovariate(0.24), 1)
            wind = "" if RANDOM.random() < 0.02 else round(abs(RANDOM.gauss(17, 8)), 1)
            date = f"2024-{1 + day // 30:02d}-{1 + day % 30:02d}"
            if date[5:] > "02-29" and date.startswith("2024-02"):
                continue
            yield [station, date, round(mean, 1), rain, wind, round(RANDOM.gauss(1012, 9), 1)]


def colonies():
    for year in range(2004, 2025):
        for number, species in enumerate(SPECIES):
            pairs = 820 - 90 * number - 11 * (year - 2004) + RANDOM.gauss(0, 26)
            yield [species, year, max(0, round(pairs)), round(RANDOM.gauss(0.71, 0.12), 2)]


def orders():
    for number in range(900):
        product = RANDOM.choice(PRODUCTS)
        price = 9.5 + 21.75 * PRODUCTS.index(product)
        amount = RANDOM.randint(1, 6)
        note = RANDOM.choice(["", "", "", "gift, wrapped", 'says "urgent"'])
        yield [10_000 + number, product, amount, f"{price:.2f}", f"{price * amount:.2f}", note]


write("weather", ["station", "date", "mean_c", "rain_mm", "wind_kmh", "pressure_hpa"], weather())
write("colonies", ["species", "year", "pairs", "chicks_per_nest"], colonies())
write("orders", ["order", "product", "amount", "price", "total", "note"], orders())
