import { describe, expect, it } from "vitest";
import { fieldsOf, momentOf, moments } from "./later";

describe("moments that people mean", () => {
  const at = (text: string) => moments(new Date(text)).map((one) => fieldsOf(one.at)).map(({ date, time }) => `${date} ${time}`);

  it("are soon, the next morning and the next Monday morning", () => {
    expect(at("2026-11-25T15:10:00")).toEqual(["2026-11-25 15:30", "2026-11-25 16:10", "2026-11-26 09:00", "2026-11-30 09:00"]);
  });

  it("are never the same twice, and never today when today is Monday", () => {
    expect(at("2026-11-29T15:00:00")).toEqual(["2026-11-29 15:20", "2026-11-29 16:00", "2026-11-30 09:00"]);
    expect(at("2026-11-30T15:00:00").slice(2)).toEqual(["2026-12-01 09:00", "2026-12-07 09:00"]);
  });

  it("have the coming morning for the next one in the small hours", () => {
    expect(at("2026-12-31T02:00:00").slice(2)).toEqual(["2026-12-31 09:00", "2027-01-04 09:00"]);
    expect(moments(new Date("2026-11-27T02:00:00"))[2]?.text).toContain("Today");
    expect(moments(new Date("2026-11-27T10:00:00"))[2]?.text).toContain("Tomorrow");
  });

  it("are all to come, at any time of the year", () => {
    for (let hour = 0; hour < 24 * 366; hour += 5) {
      const now = new Date(2026, 0, 1, hour, 59, 59);
      for (const one of moments(now)) expect(one.at.getTime()).toBeGreaterThan(now.getTime());
    }
  });

  it("are what two fields say, and nothing while these say nothing", () => {
    expect(momentOf("2026-11-27", "09:30")?.getTime()).toBe(new Date(2026, 10, 27, 9, 30).getTime());
    expect([momentOf("", "09:30"), momentOf("2026-11-27", ""), momentOf("2026-02-31x", "09:30")]).toEqual([undefined, undefined, undefined]);
  });
});
