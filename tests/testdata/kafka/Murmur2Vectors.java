// Made murmur2_vectors.json: java -cp "<kafka-clients 4.1.0 and its dependencies>/*" Murmur2Vectors.java > murmur2_vectors.json
import org.apache.kafka.common.utils.Utils;
import java.nio.charset.StandardCharsets;
import java.util.*;
public class Murmur2Vectors {
  static String esc(String s){ StringBuilder b=new StringBuilder(); for(char c: s.toCharArray()){ if(c<0x20||c>0x7e||c=='"'||c=='\\') b.append(String.format("\\u%04x",(int)c)); else b.append(c);} return b.toString(); }
  public static void main(String[] a){
    List<String> keys=new ArrayList<>(List.of("","a","ab","abc","abcd","abcde","21","foobar","device-17","plant/7/line-3/sensor-0042","\u00e9","gr\u00fcn","\u6e29\u5ea6","\ud83d\ude00","x\ud83d\ude00y","\u0000","0123456789abcdef0123456789abcdef0123456789abcdef"));
    Random r=new Random(42);
    for(int i=0;i<183;i++){ int n=r.nextInt(40); StringBuilder b=new StringBuilder(); for(int j=0;j<n;j++){ int cp; do { cp = r.nextInt(4)==0 ? r.nextInt(0x10000) : 0x20+r.nextInt(0x5f);} while(cp>=0xd800&&cp<=0xdfff); b.appendCodePoint(cp);} keys.add(b.toString()); }
    System.out.println("[");
    for(int i=0;i<keys.size();i++){ byte[] k=keys.get(i).getBytes(StandardCharsets.UTF_8); int h=Utils.murmur2(k);
      System.out.println("{\"key\":\""+esc(keys.get(i))+"\",\"murmur2\":"+h+",\"of12\":"+(Utils.toPositive(h)%12)+"}"+(i<keys.size()-1?",":"")); }
    System.out.println("]");
  }
}
