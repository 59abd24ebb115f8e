use super::*;

const TEXT: &str = r#"<configuration>
      <crm_config><cluster_property_set id="p"><nvpair id="p1" name="stonith-enabled" value="true"/></cluster_property_set></crm_config>
      <nodes><node id="1" uname="osm1"><instance_attributes id="n"><nvpair id="n1" name="maintenance" value="true"/></instance_attributes></node>
        <node id="2" uname="osm2"/></nodes>
      <resources>
        <template id="t" class="ocf" provider="inuvika" type="ovd-osm">
          <instance_attributes id="ta"><nvpair id="ta1" name="vhost" value="a"/><nvpair id="ta2" name="port" value="1"/></instance_attributes>
          <operations><op id="to" name="monitor" interval="3s" timeout="11s"/></operations>
        </template>
        <group id="g"><meta_attributes id="gm"><nvpair id="gm1" name="is-managed" value="False"/></meta_attributes>
          <primitive id="one" template="t">
            <instance_attributes id="low" score="1"><nvpair id="l1" name="port" value="2"/></instance_attributes>
            <instance_attributes id="high" score="INFINITY"><nvpair id="h1" name="port" value="3"/></instance_attributes>
            <instance_attributes id="ruled"><rule id="r" score="0"/><nvpair id="r1" name="secret" value="x"/></instance_attributes>
          </primitive></group>
        <clone id="c"><primitive id="two" class="ocf" provider="inuvika" type="lvs-director">
          <instance_attributes id-ref="ta"/>
          <operations>
            <op id="o1" name="monitor" interval="12s" role="Stopped" timeout="5s"/>
            <op id="o2" name="monitor" interval="10s" timeout="20"/>
            <op id="o3" name="monitor" interval="20s" timeout="1min"><instance_attributes id="oi"><nvpair id="oi1" name="OCF_CHECK_LEVEL" value="10"/></instance_attributes></op>
          </operations></primitive></clone>
        <primitive id="vip" class="ocf" provider="heartbeat" type="IPaddr2"/>
        <primitive id="off" class="lsb" type="ovd-osm"><meta_attributes id="om"><nvpair id="om1" name="maintenance" value="1"/></meta_attributes></primitive>
      </resources></configuration>"#;

#[test]
fn resources_have_what_pacemaker_gives_them() {
    let all = Configuration::read(TEXT).unwrap().resources();
    let brief: Vec<_> = all.iter().map(|r| (r.id.as_str(), r.agent.as_str(), r.is_managed)).collect();
    let wanted = [
        ("one", "ocf:inuvika:ovd-osm", false),
        ("two", "ocf:inuvika:lvs-director", true),
        ("vip", "ocf:heartbeat:IPaddr2", true),
        ("off", "lsb:ovd-osm", false),
    ];
    assert_eq!(brief, wanted);
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(all[0].params, [pair("port", "3"), pair("vhost", "a")]);
    assert!(all[0].has_rules && !all[1].has_rules);
    assert_eq!(all[0].timeout("monitor", 0), Some("11s"));
    assert_eq!(all[1].params, [pair("vhost", "a"), pair("port", "1")]);
    assert_eq!([0, 10, 20].map(|depth| all[1].timeout("monitor", depth)), [Some("20"), Some("1min"), Some("20")]);
    assert_eq!(all[1].timeout("start", 0), None);
}

#[test]
fn maintenance_is_seen_wherever_it_is_said() {
    let configuration = Configuration::read(TEXT).unwrap();
    assert_eq!(configuration.nodes_in_maintenance(), ["osm1"]);
    let resting = TEXT.replace(r#"name="stonith-enabled""#, r#"name="maintenance-mode""#);
    assert!(Configuration::read(&resting).unwrap().resources().iter().all(|resource| !resource.is_managed));
    assert!(Configuration::read("<configuration>").is_err());
}
